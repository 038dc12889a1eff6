package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// The first namespaces of a host, as /proc/PID/ns names them (linux/proc_ns.h, where the numbers are fixed).
const (
	firstPIDNamespace    = "pid:[4026531836]"
	firstCgroupNamespace = "cgroup:[4026531835]"
)

// ownPID is this process's number where proc is mounted.
func ownPID(proc string) (int, error) {
	name, err := os.Readlink(filepath.Join(proc, "self"))
	if err != nil {
		return 0, fmt.Errorf("cannot find this process below %s: %w; mount proc there", proc, errors.Unwrap(err))
	}

	pid, err := strconv.Atoi(name)
	if err != nil {
		return 0, fmt.Errorf("cannot find this process below %s: %w; mount proc there", proc, err)
	}

	return pid, nil
}

// seesHost says whether the numbers of processes in proc are the kernel's own. Not everybody may ask about process 1, so
// where proc is this process's own its own namespace tells.
func seesHost(proc string) bool {
	if namespace, err := os.Readlink(filepath.Join(proc, "1/ns/pid")); err == nil {
		return namespace == firstPIDNamespace
	}

	pid, err := ownPID(proc)
	namespace, _ := os.Readlink(filepath.Join(proc, "self/ns/pid"))

	return err == nil && pid == os.Getpid() && namespace == firstPIDNamespace
}

var errContainer = errors.New("cannot watch UDP sockets below a cgroup: this process sees those of its container only, and so would miss what others bind; " +
	"start it in the host's cgroup namespace")

// seesAllCgroups says whether the root of the cgroups that this process sees is the host's.
func seesAllCgroups(proc string) bool {
	namespace, _ := os.Readlink(filepath.Join(proc, "self/ns/cgroup"))

	return namespace == firstCgroupNamespace
}
