package listener

import (
	"errors"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// pieceSize is as much as is read of a file of a process; a command line may have two megabytes.
const pieceSize = 4 << 10

// openProcess opens the directory of a process.
func openProcess(proc string, pid int) (dir int, err error) {
	return unix.Open(filepath.Join(proc, strconv.Itoa(pid)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// readIn reads the start of a file in an open directory.
func readIn(dir int, name string) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()

	piece := make([]byte, pieceSize)
	filled := 0

	for filled < len(piece) {
		n, err := unix.Read(fd, piece[filled:])

		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return piece[:filled], nil
		}

		filled += n
	}

	return piece, nil
}

// readLinkIn reads a link in an open directory; empty where this user may not.
func readLinkIn(dir int, name string) string {
	target := make([]byte, pieceSize)

	n, err := unix.Readlinkat(dir, name, target)
	if err != nil {
		return ""
	}

	return procfile.PrintableStart(string(target[:n]), textLimit)
}
