package nginx

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reusePort has a socket share its port, as a foreign process does that takes nginx's clients.
func reusePort(_, _ string, socket syscall.RawConn) error {
	var failed error

	err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if err != nil {
		return err
	}

	return failed
}
