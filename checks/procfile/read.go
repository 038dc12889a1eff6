// Package procfile reads the kernel's text files and keeps account of what was odd in them.
package procfile

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

const firstBuffer = 32 << 10

// Read reads the file whole: one open, reads up to the end, one close. It asks for no size beforehand because the
// kernel reports none for such files. The content lies in buf, or in a larger buffer that replaces it; hand it in
// again and a later call allocates next to nothing. An error is the bare unix.Errno, for the caller knows what mends it.
func Read(path string, buf []byte) ([]byte, error) {
	fd, err := open(path)
	if err != nil {
		return buf[:0], err
	}
	defer func() { _ = unix.Close(fd) }()

	if cap(buf) == 0 {
		buf = make([]byte, 0, firstBuffer)
	}

	buf = buf[:0]
	for {
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])

		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return buf, err
		case n == 0:
			return buf, nil
		}

		buf = buf[:len(buf)+n]
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, cap(buf))
		}
	}
}

func open(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}
