package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	groupRoot   = "/sys/fs/cgroup"
	groupPrefix = "hosting-boot-"
	// groupLimit is how long the kernel may take until a cgroup whose processes were killed is empty.
	groupLimit = 10 * time.Second
)

var groupCount atomic.Int64

// groups are the cgroups of one container, in each hierarchy that systemd uses: two containers in one cgroup would disturb each other.
type groups []string

// makeGroups makes cgroups below this process's own, named after it, and removes those of processes that have died.
func makeGroups() (groups, error) {
	table, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("cannot tell the cgroup of this process: %w; mount /proc", err)
	}
	// nspawn looks for its cgroup in one hierarchy and makes it in the others, so the name is the same in all.
	name := fmt.Sprintf("%s%d-%d", groupPrefix, os.Getpid(), groupCount.Add(1))
	var made groups
	for _, parent := range ownGroups(string(table), exists) {
		sweep(parent)
		group := filepath.Join(parent, name)
		if err := os.Mkdir(group, 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot make a cgroup: %w; mount the cgroups writable", err), made.remove())
		}
		made = append(made, group)
	}
	if len(made) == 0 {
		return nil, fmt.Errorf("cannot find systemd's cgroups in %s; mount them", groupRoot)
	}
	return made, nil
}

// ownGroups returns the directories of a process's cgroups that systemd would use, from the text of its cgroup file (cgroups(7)).
func ownGroups(table string, exists func(path string) bool) []string {
	var found []string
	for line := range strings.Lines(table) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		var hierarchy string
		switch {
		case fields[0] == "0" && exists(filepath.Join(groupRoot, "unified")):
			hierarchy = "unified"
		case fields[0] == "0" && exists(filepath.Join(groupRoot, "cgroup.procs")):
			hierarchy = "."
		case fields[1] == "name=systemd":
			hierarchy = "systemd"
		default:
			continue
		}
		found = append(found, filepath.Join(groupRoot, hierarchy, fields[2]))
	}
	return found
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sweep removes the cgroups that killed processes have left below parent.
func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, groupPrefix+"*"))
	if err != nil {
		return
	}
	for _, group := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(group), groupPrefix), "-")
		if _, err := strconv.Atoi(pid); err == nil && !exists(filepath.Join("/proc", pid)) {
			// Another process may be removing the same.
			_ = removeTree(group)
		}
	}
}

// remove removes the cgroups as soon as the kernel has ended what was in them.
func (g groups) remove() error {
	var all error
	for _, group := range g {
		err := removeTree(group)
		for deadline := time.Now().Add(groupLimit); err != nil && time.Now().Before(deadline); err = removeTree(group) {
			time.Sleep(pollInterval)
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("cannot remove a cgroup: %w; end the processes in %s", err, group))
		}
	}
	return all
}

// removeTree removes an empty cgroup and those below it.
func removeTree(group string) error {
	var dirs []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for _, dir := range slices.Backward(dirs) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
