package listener

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)

	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}

	request.SetUint16(unix.IFF_UP)

	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// refuseNetlink makes socket(AF_NETLINK) fail as it does on a kernel without sock_diag, in all threads.
func refuseNetlink() error {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		give  = unix.BPF_RET | unix.BPF_K
	)

	filter := []unix.SockFilter{
		{Code: load, K: 0},
		{Code: equal, K: unix.SYS_SOCKET, Jf: 3},
		{Code: load, K: 16},
		{Code: equal, K: unix.AF_NETLINK, Jf: 1},
		{Code: give, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPROTONOSUPPORT)},
		{Code: give, K: unix.SECCOMP_RET_ALLOW},
	}

	// The rights that are given up are those of this thread, until the filter is put on all.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}

	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}

	_, _, number := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if number != 0 {
		return number
	}

	return nil
}
