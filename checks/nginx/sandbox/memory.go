package sandbox

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// pathLimit is PATH_MAX: the kernel reads so many bytes of a path, with its final zero.
	pathLimit = 4096
	pageSize  = 4096
	// usualPath is how many bytes are read at once: most paths fit.
	usualPath = 256
)

// readMemory fills buffer from the memory of a process.
func readMemory(pid int, address uint64, buffer []byte) error {
	return transferMemory(unix.SYS_PROCESS_VM_READV, pid, address, buffer)
}

// writeMemory writes data into the memory of a process.
func writeMemory(pid int, address uint64, data []byte) error {
	return transferMemory(unix.SYS_PROCESS_VM_WRITEV, pid, address, data)
}

// transferMemory does not give the processor away, as package unix does: a copy of a few bytes is too short for that.
func transferMemory(number uintptr, pid int, address uint64, buffer []byte) error {
	if len(buffer) == 0 {
		return nil
	}
	local := unix.Iovec{Base: &buffer[0]}
	local.SetLen(len(buffer))
	remote := unix.RemoteIovec{Base: uintptr(address), Len: len(buffer)}
	n, _, errno := unix.RawSyscall6(number, uintptr(pid), uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno != 0 {
		return errno
	}
	if int(n) != len(buffer) {
		return unix.EFAULT
	}
	return nil
}

// readString reads a path as the kernel does: EFAULT where there is none, ENAMETOOLONG where it does not end.
func readString(pid int, address uint64) (string, error) {
	var text []byte
	for len(text) < pathLimit {
		// The next page may not be there.
		size := min(usualPath, pageSize-int(address%pageSize), pathLimit-len(text))
		start := len(text)
		text = append(text, make([]byte, size)...)
		if err := readMemory(pid, address, text[start:]); err != nil {
			return "", err
		}
		if end := bytes.IndexByte(text[start:], 0); end >= 0 {
			return string(text[:start+end]), nil
		}
		address += uint64(size)
	}
	return "", unix.ENAMETOOLONG
}
