package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ordinary is the user www-data of Debian, as whom nginx's workers run.
const ordinary = 33

func userDeeds() map[string]func() error {
	return map[string]func() error{
		"become a user":                 func() error { return failed(unix.RawSyscall(unix.SYS_SETUID, ordinary, 0, 0)) },
		"join a group":                  func() error { return failed(unix.RawSyscall(unix.SYS_SETGID, ordinary, 0, 0)) },
		"take the groups of nobody":     func() error { return failed(unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0)) },
		"get a place before all others": func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -20) },
		"get a processor in real time":  realTime,
		"signal another user's process": func() error { return onWorker(func(pid int) error { return unix.Kill(pid, 0) }) },
		"look into another user's process": func() error {
			return onWorker(func(pid int) error { return opened(fmt.Sprintf("/proc/%d/maps", pid), os.O_RDONLY) })
		},
		"trace another user's process":      func() error { return onWorker(trace) },
		"enter another process's namespace": enter,
	}
}

func failed(_, _ uintptr, number syscall.Errno) error {
	if number != 0 {
		return number
	}
	return nil
}

func realTime() error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
}

// onWorker does something to a worker of nginx's, which is another user's process.
func onWorker(do func(pid int) error) error {
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, dir := range found {
		var status unix.Stat_t
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && unix.Stat(dir, &status) == nil && status.Uid == ordinary {
			return do(pid)
		}
	}
	return fmt.Errorf("user %d has no process", ordinary)
}

func trace(pid int) error {
	if err := failed(unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0, 0, 0)); err != nil {
		return err
	}
	if err := unix.PtraceInterrupt(pid); err != nil {
		return err
	}
	if _, err := unix.Wait4(pid, nil, unix.WALL, nil); err != nil {
		return err
	}
	return unix.PtraceDetach(pid)
}

// enter enters the mount namespace of the first process.
func enter() error {
	file, err := os.Open("/proc/1/ns/mnt")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	// Threads share their working directory, which is in a mount namespace.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	return unix.Setns(int(file.Fd()), unix.CLONE_NEWNS)
}

func processDeeds() map[string]func() error {
	all := map[string]func() error{}
	for name, flag := range map[string]int{
		"mounts": unix.CLONE_NEWNS, "the network": unix.CLONE_NEWNET, "host names": unix.CLONE_NEWUTS, "processes": unix.CLONE_NEWPID, "cgroups": unix.CLONE_NEWCGROUP,
	} {
		all["make a namespace of "+name] = func() error { return unix.Unshare(flag) }
	}
	return all
}
