package main

import (
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// kernelDeeds ask for what cannot be done, so that nothing is: who may do the deed hears another error than that it may not.
func kernelDeeds() map[string]func() error {
	return map[string]func() error{
		"load a module":             func() error { return unix.InitModule([]byte("no module"), "") },
		"unload a module":           func() error { return unix.DeleteModule("hosting_deed", unix.O_NONBLOCK) },
		"restart the machine":       func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_ON) },
		"boot another kernel":       func() error { return failed(unix.RawSyscall6(unix.SYS_KEXEC_LOAD, 0, 17, 0, 0, 0, 0)) },
		"set the clock":             setClock,
		"set the host's name":       setName,
		"have a map in the kernel":  haveMap,
		"swap to a file":            func() error { return failed(unix.RawSyscall(unix.SYS_SWAPON, 0, 0, 0)) },
		"account for all processes": func() error { return unix.Acct("/none") },
	}
}

// haveMap is what each program in the kernel begins with.
func haveMap() error {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err
	}

	return m.Close()
}

// setClock asks for a length of the clock's tick that there is not, which the kernel looks at after the right to set it.
func setClock() error {
	_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_TICK})
	return err
}

// setName sets the name that the machine has.
func setName() error {
	var names unix.Utsname
	if err := unix.Uname(&names); err != nil {
		return err
	}
	name := names.Nodename[:]
	length := 0
	for length < len(name) && name[length] != 0 {
		length++
	}
	return failed(unix.RawSyscall(unix.SYS_SETHOSTNAME, uintptr(unsafe.Pointer(&name[0])), uintptr(length), 0))
}

func networkDeeds() map[string]func() error {
	return map[string]func() error{
		"send packets of any content":    func() error { return socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) },
		"read the network's packets":     func() error { return socket(unix.AF_PACKET, unix.SOCK_RAW, 0) },
		"listen on a port of services'":  listen,
		"connect to anywhere":            func() error { return socket(unix.AF_INET, unix.SOCK_STREAM, 0) },
		"ask the kernel about listeners": func() error { return socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_INET_DIAG) },
	}
}

func socket(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func listen() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Bind(fd, &unix.SockaddrInet4{Port: 81, Addr: [4]byte{127, 0, 0, 1}})
}
