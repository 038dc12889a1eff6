package listeners

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Socket is one that receives clients.
type Socket struct {
	// Address has port 0 for one that the kernel chooses.
	Address string
	UDP     bool
	// ReusePort and ReuseAddress are the options of these names.
	ReusePort, ReuseAddress bool
	// Unbound leaves out bind(2), so that the kernel chooses the port within listen(2).
	Unbound bool
	// Multipath is a socket of MPTCP.
	Multipath bool
	// silent is bound, and does not listen.
	silent bool
}

// open opens the socket. It stays open until the process ends or the caller closes it.
func (s *Socket) open() (fd int, address netip.AddrPort, err error) {
	want, err := netip.ParseAddrPort(s.Address)
	if err != nil {
		return 0, want, fmt.Errorf("cannot listen on %q: %w; give an address and a port", s.Address, err)
	}

	if fd, err = s.make(want); err != nil {
		return 0, want, fmt.Errorf("cannot listen on %s: %w", want, err)
	}

	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, want, errors.Join(err, unix.Close(fd))
	}

	switch name := name.(type) {
	case *unix.SockaddrInet4:
		address = netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port))
	case *unix.SockaddrInet6:
		address = netip.AddrPortFrom(netip.AddrFrom16(name.Addr), uint16(name.Port))
	}

	return fd, address, nil
}

func (s *Socket) make(want netip.AddrPort) (fd int, err error) {
	family, kind, protocol := unix.AF_INET6, unix.SOCK_STREAM, 0
	if want.Addr().Is4() {
		family = unix.AF_INET
	}

	if s.UDP {
		kind = unix.SOCK_DGRAM
	}

	if s.Multipath {
		protocol = unix.IPPROTO_MPTCP
	}

	if fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol); err != nil {
		return 0, err
	}

	for option, is := range map[int]bool{unix.SO_REUSEPORT: s.ReusePort, unix.SO_REUSEADDR: s.ReuseAddress} {
		if is && err == nil {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1)
		}
	}

	if err == nil && !s.Unbound {
		err = unix.Bind(fd, sockaddr(want))
	}

	if err == nil && !s.UDP && !s.silent {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}

	if err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}

	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}

	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// stay opens the sockets that stay open.
func (task *Task) stay(result *Result) error {
	var late []int

	for _, s := range task.Sockets {
		s.silent = task.Late

		fd, address, err := s.open()
		if err != nil {
			return err
		}

		late = append(late, fd)
		result.Addresses = append(result.Addresses, address)
	}

	if !task.Late {
		return nil
	}

	for _, fd := range late {
		if err := unix.Listen(fd, unix.SOMAXCONN); err != nil && !errors.Is(err, unix.EADDRINUSE) {
			return fmt.Errorf("cannot listen: %w", err)
		}
	}

	return nil
}

// comeAndGo opens and closes the listeners that are brief.
func (task *Task) comeAndGo() error {
	if task.Brief.Address == "" {
		task.Brief.Address = "127.0.0.1:0"
	}

	return inParallel(task.Workers, task.Listeners, func() error {
		fd, _, err := task.Brief.open()
		if err != nil {
			return err
		}

		time.Sleep(task.Life)

		return unix.Close(fd)
	})
}

// connect makes the connections.
func (task *Task) connect() error {
	if task.Connections == 0 {
		return nil
	}

	// Not one of MPTCP, as Go would make it.
	var config net.ListenConfig
	config.SetMultipathTCP(false)

	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()

	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}

			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()

	return inParallel(task.Workers, task.Connections, func() error { return visit(listener.Addr().String()) })
}

// visit makes one connection. It ends by a reset, as otherwise it would keep its port for a minute.
func visit(address string) error {
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		controlErr := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		})

		return errors.Join(controlErr, err)
	}}

	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return err
	}

	if _, err := conn.Write([]byte{1}); err != nil {
		return errors.Join(err, conn.Close())
	}

	_, _ = conn.Read(make([]byte, 1))

	return conn.Close()
}

// inParallel does it so many times, by some workers at once, until one fails.
func inParallel(workers, times int, do func() error) error {
	var (
		all    sync.WaitGroup
		left   atomic.Int64
		failed atomic.Pointer[error]
	)

	left.Store(int64(times))

	for range max(1, workers) {
		all.Go(func() {
			for left.Add(-1) >= 0 && failed.Load() == nil {
				if err := do(); err != nil {
					failed.Store(&err)
				}
			}
		})
	}

	all.Wait()

	if err := failed.Load(); err != nil {
		return *err
	}

	return nil
}
