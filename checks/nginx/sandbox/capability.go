package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	allCapabilities = ^uint64(0)
	// rootly are what a configuration test of root's uses, or is judged by.
	rootly = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_NET_BIND_SERVICE
	// reading is what lets root read every file; either will do.
	reading = 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	// needless are what no configuration test uses. Without them the kernel itself refuses what would harm most.
	needless = 1<<unix.CAP_KILL | 1<<unix.CAP_LINUX_IMMUTABLE | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_IPC_OWNER | 1<<unix.CAP_SYS_MODULE |
		1<<unix.CAP_SYS_RAWIO | 1<<unix.CAP_SYS_CHROOT | 1<<unix.CAP_SYS_PTRACE | 1<<unix.CAP_SYS_PACCT | 1<<unix.CAP_SYS_ADMIN |
		1<<unix.CAP_SYS_BOOT | 1<<unix.CAP_SYS_TIME | 1<<unix.CAP_SYS_TTY_CONFIG | 1<<unix.CAP_MKNOD | 1<<unix.CAP_LEASE |
		1<<unix.CAP_AUDIT_CONTROL | 1<<unix.CAP_MAC_OVERRIDE | 1<<unix.CAP_MAC_ADMIN | 1<<unix.CAP_SYSLOG | 1<<unix.CAP_WAKE_ALARM |
		1<<unix.CAP_BLOCK_SUSPEND | 1<<unix.CAP_PERFMON | 1<<unix.CAP_BPF | 1<<unix.CAP_CHECKPOINT_RESTORE
)

// Rights tells what this process may do of what root does in a test: act as root (whole), and read every file. Where it may not act so, Command.AsRoot
// has its tests judged as if it might; what it may not read it cannot.
func Rights() (whole, readsAll bool) {
	// It cannot fail: the version is known and the pointer is good.
	own, _ := effectiveCapabilities()
	return own&rootly == rootly, own&reading != 0
}

// confine leaves the calling thread, and all programs that it starts, no capability that is needless or not among allowed. A thread that may not
// take them from root's programs for good (CAP_SETPCAP) gets no_new_privs, with which programs have no more than whoever starts them.
func confine(allowed uint64) error {
	kept := allowed &^ needless
	left := false
	for capability := range unix.CAP_LAST_CAP + 1 {
		if kept>>capability&1 == 1 {
			continue
		}
		// The kernel may not know it.
		bounds, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(capability), 0, 0, 0)
		if err == nil && bounds == 1 {
			left = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0) != nil || left
		}
	}
	if left {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("cannot take needless privileges from the configuration test: %w; use Linux 3.5 or newer", err)
		}
	}
	return keepCapabilities(kept)
}

// mayFilter makes the calling thread one that may have a seccomp filter: with CAP_SYS_ADMIN, or else with no way to gain privileges.
func mayFilter() error {
	capabilities, err := effectiveCapabilities()
	if err == nil && capabilities>>unix.CAP_SYS_ADMIN&1 == 1 {
		return nil
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

func effectiveCapabilities() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, err
	}
	return uint64(data[0].Effective) | uint64(data[1].Effective)<<32, nil
}

// keepCapabilities leaves the calling thread no others, and none to pass on by inheritance but through root's programs.
func keepCapabilities(kept uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&header, &data[0])
	if err == nil {
		for i, half := range []uint32{uint32(kept), uint32(kept >> 32)} {
			data[i].Effective &= half
			data[i].Permitted &= half
			data[i].Inheritable &= half
		}
		err = unix.Capset(&header, &data[0])
	}
	if err != nil {
		return fmt.Errorf("cannot give up needless capabilities: %w; let no filter refuse capset(2)", err)
	}
	return nil
}
