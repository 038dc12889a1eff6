// Package cgroup finds the control groups of this host (cgroups(7)): where they are mounted, which there are, what they are called, and to which
// unit of systemd they belong. It needs no privilege.
package cgroup

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// dir is where the cgroups are below /sys.
	dir = "fs/cgroup"
	// controllersFile is in every directory of cgroup version 2 and in none of version 1.
	controllersFile = "cgroup.controllers"
)

// Unified is where cgroup version 2 is mounted below sysPath, on a real system "/sys".
func Unified(sysPath string) string {
	root := filepath.Join(sysPath, dir)
	if _, err := os.Stat(filepath.Join(root, controllersFile)); err != nil {
		// Where version 1 is in use, systemd mounts version 2 here.
		return filepath.Join(root, "unified")
	}

	return root
}

// Mount is where a controller is.
type Mount struct {
	// Version is 1 or 2.
	Version int
	Dir     string
}

// FindMemory looks where the memory controller is: alone in version 2, or beside it in version 1, whose root must have the file version1File.
// errors.Is(err, fs.ErrNotExist) tells that it is nowhere.
func FindMemory(sysPath, version1File string) (Mount, error) {
	// The files of a controller are not in the root of version 2 on all kernels; its controllers are named on all.
	two := Unified(sysPath)

	controllers, _ := os.ReadFile(filepath.Join(two, controllersFile))
	if slices.Contains(strings.Fields(string(controllers)), "memory") {
		return Mount{2, two}, nil
	}

	one := filepath.Join(sysPath, dir, "memory")
	if _, err := os.Stat(filepath.Join(one, version1File)); err == nil {
		return Mount{1, one}, nil
	}

	return Mount{}, fmt.Errorf("no memory controller below %s: %w; boot without cgroup_disable=memory and cgroup.memory=nokmem", filepath.Join(sysPath, dir), fs.ErrNotExist)
}
