package sandbox

import "golang.org/x/sys/unix"

// needless are capabilities that no configuration test uses. Without them the kernel itself refuses what would harm most.
var needless = []int{
	unix.CAP_KILL, unix.CAP_LINUX_IMMUTABLE, unix.CAP_NET_ADMIN, unix.CAP_IPC_OWNER, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_CHROOT,
	unix.CAP_SYS_PTRACE, unix.CAP_SYS_PACCT, unix.CAP_SYS_ADMIN, unix.CAP_SYS_BOOT, unix.CAP_SYS_TIME, unix.CAP_SYS_TTY_CONFIG, unix.CAP_MKNOD,
	unix.CAP_LEASE, unix.CAP_AUDIT_CONTROL, unix.CAP_MAC_OVERRIDE, unix.CAP_MAC_ADMIN, unix.CAP_SYSLOG, unix.CAP_WAKE_ALARM, unix.CAP_BLOCK_SUSPEND,
	unix.CAP_PERFMON, unix.CAP_BPF, unix.CAP_CHECKPOINT_RESTORE,
}

// boundCapabilities takes the needless capabilities, and those that are not among allowed, from all programs that the calling thread starts.
func boundCapabilities(allowed uint64) {
	for _, capability := range needless {
		allowed &^= 1 << capability
	}
	for capability := range unix.CAP_LAST_CAP + 1 {
		if allowed>>capability&1 == 0 {
			// The kernel may not know it, and who may not drop any has none to pass on.
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0)
		}
	}
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

// keepCapabilities leaves the calling thread no others.
func keepCapabilities(kept uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	for i, half := range []uint32{uint32(kept), uint32(kept >> 32)} {
		data[i].Effective &= half
		data[i].Permitted &= half
	}
	return unix.Capset(&header, &data[0])
}
