package badsite

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// takePlace binds a socket to a free port. With SO_REUSEPORT, listeners of the same user may join it there.
func (s *Server) takePlace() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot make a socket for the test site: %w; allow more open files", err)
	}
	s.place = fd
	err = reusable(fd)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: s.address})
	}
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	bound, ok := name.(*unix.SockaddrInet4)
	if err != nil || !ok {
		_ = unix.Close(fd)
		return fmt.Errorf("cannot take a port for the test site: %w; bring up the loopback interface", err)
	}
	s.port = bound.Port
	return nil
}

func reusable(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// listen listens on an address that reusable sockets of the same user may share, behind a socket filter, which may be nil.
func listen(address string, filter []unix.SockFilter) (*net.TCPListener, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return onDescriptor(raw, func(fd int) error {
			if err := reusable(fd); err != nil || filter == nil {
				return err
			}
			program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
			return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
		})
	}}
	// Plain sockets: Multipath TCP's listeners take neither filters nor resets as they come.
	config.SetMultipathTCP(false)
	listener, err := config.Listen(context.Background(), "tcp4", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for the test site: %w; start another server", address, err)
	}
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("cannot listen on %s for the test site: it is a %T; update Go", address, listener)
	}
	return tcp, nil
}

// filterOf returns the packet filter of a reception; see socket(7) SO_ATTACH_FILTER. A TCP socket's filter sees segments from their header on.
func filterOf(how reception) []unix.SockFilter {
	const (
		flagsOffset = 13
		syn         = 0x02
		pass        = 0xffff
	)
	switch how {
	case dropping:
		return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	case mute:
		return []unix.SockFilter{
			{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flagsOffset},
			{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: syn, Jf: 1},
			{Code: unix.BPF_RET | unix.BPF_K, K: pass},
			{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		}
	}
	return nil
}

// control calls use with a listener's descriptor.
func control(listener *net.TCPListener, use func(fd int) error) error {
	raw, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	return onDescriptor(raw, use)
}

func onDescriptor(raw syscall.RawConn, use func(fd int) error) error {
	var err error
	if failed := raw.Control(func(fd uintptr) { err = use(int(fd)) }); failed != nil {
		return failed
	}
	return err
}
