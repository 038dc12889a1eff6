package listener

import (
	"strconv"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// maxDescriptors bounds a search; it takes some seconds.
	maxDescriptors = 1_000_000
	entriesSize    = 32 << 10
	// longestLink is longer than any link to a socket.
	longestLink = 64
)

// socketsOf returns a descriptor for each socket of a process, by inode. The error is the bare unix.Errno.
func (r *Reader) socketsOf(pid int) (map[uint32]int, error) {
	found := make(map[uint32]int)
	walk := descriptorWalk{left: maxDescriptors}
	err := walk.sockets(r.processPath(pid, "fd"), func(inode uint32, fd int) { found[inode] = fd })

	return found, err
}

// descriptorWalk goes through the descriptors of one process after the other, with buffers of its own.
type descriptorWalk struct {
	// left is how many descriptors may still be looked at.
	left    int
	entries []byte
	names   []string
	link    [longestLink]byte
}

// sockets calls visit for each socket in a process's directory of descriptors.
func (w *descriptorWalk) sockets(path string, visit func(inode uint32, fd int)) error {
	dir, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(dir) }()

	if w.entries == nil {
		w.entries = make([]byte, entriesSize)
	}

	for {
		n, err := unix.ReadDirent(dir, w.entries)
		if err != nil {
			return err
		}

		if n == 0 {
			return nil
		}

		_, _, w.names = unix.ParseDirent(w.entries[:n], -1, w.names[:0])
		w.left -= len(w.names)

		for _, name := range w.names {
			fd, err := strconv.Atoi(name)
			if err != nil {
				continue
			}

			// A descriptor that has been closed has no link.
			length, _ := unix.Readlinkat(dir, name, w.link[:])
			if inode, ok := parseSocketLink(w.link[:max(length, 0)]); ok {
				visit(inode, fd)
			}
		}
	}
}

// socketAt returns the inode of a descriptor in the open directory of a process's descriptors, if it is a socket.
func socketAt(dir, fd int) (inode uint32, ok bool) {
	var link [longestLink]byte

	length, err := unix.Readlinkat(dir, strconv.Itoa(fd), link[:])
	if err != nil {
		return 0, false
	}

	return parseSocketLink(link[:length])
}

// parseSocketLink reads "socket:[123]" (proc_pid_fd(5)).
func parseSocketLink(link []byte) (inode uint32, ok bool) {
	const (
		head = "socket:["
		tail = "]"
	)

	if len(link) <= len(head)+len(tail) || string(link[:len(head)]) != head || string(link[len(link)-1:]) != tail {
		return 0, false
	}

	number, ok := procfile.Uint(link[len(head) : len(link)-1])

	return uint32(number), ok && number <= 1<<32-1
}
