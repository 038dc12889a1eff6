package listener

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// listenTask is a socket that the child opens.
type listenTask struct {
	Network   Network
	Address   string
	ReusePort bool
	V6Only    bool
	// Device is what SO_BINDTODEVICE names.
	Device string
}

// open opens the socket. It stays open until the process ends or the caller closes it.
func (l *listenTask) open() (fd int, address netip.AddrPort, err error) {
	want, err := netip.ParseAddrPort(l.Address)
	if err != nil {
		return 0, want, err
	}

	family, kind := unix.AF_INET6, unix.SOCK_STREAM
	if want.Addr().Is4() {
		family = unix.AF_INET
	}

	if l.Network == UDP {
		kind = unix.SOCK_DGRAM
	}

	if fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, want, err
	}

	if l.ReusePort {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}

	if err == nil && l.Device != "" {
		err = unix.BindToDevice(fd, l.Device)
	}

	if err == nil && family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, map[bool]int{true: 1}[l.V6Only])
	}

	if err == nil {
		err = unix.Bind(fd, sockaddr(want))
	}

	if err == nil && l.Network == TCP {
		err = unix.Listen(fd, 7)
	}

	if err != nil {
		return fd, want, errors.Join(err, unix.Close(fd))
	}

	bound, err := unix.Getsockname(fd)

	switch sa := bound.(type) {
	case *unix.SockaddrInet4:
		want = netip.AddrPortFrom(want.Addr(), uint16(sa.Port))
	case *unix.SockaddrInet6:
		want = netip.AddrPortFrom(want.Addr(), uint16(sa.Port))
	}

	return fd, want, err
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}

	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// outcome lets clients come until it is clear who gets them.
func outcome(t *testing.T, network Network, to netip.AddrPort, own, stranger int) Relation {
	t.Helper()

	const clients = 40

	gotOwn, gotStranger := 0, 0

	for range clients {
		call(t, network, to)

		switch waitForEither(t, own, stranger) {
		case own:
			gotOwn++
			take(t, network, own)
		case stranger:
			gotStranger++
			take(t, network, stranger)
		}
	}

	switch {
	case gotOwn == clients:
		return RelationLessSpecific
	case gotStranger == clients:
		return RelationMoreSpecific
	}

	return RelationSameAddress
}

// call is one client, with a port of its own.
func call(t *testing.T, network Network, to netip.AddrPort) {
	t.Helper()

	conn, err := net.Dial(string(network), to.String())
	require.NoError(t, err)

	_, err = conn.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func waitForEither(t *testing.T, a, b int) int {
	t.Helper()

	fds := []unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}, {Fd: int32(b), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int((30 * time.Second).Milliseconds()))
	require.NoError(t, err)
	require.Equal(t, 1, n)

	if fds[0].Revents != 0 {
		return a
	}

	return b
}

func take(t *testing.T, network Network, fd int) {
	t.Helper()

	if network == UDP {
		_, err := unix.Read(fd, make([]byte, 1))
		require.NoError(t, err)

		return
	}

	conn, _, err := unix.Accept(fd)
	require.NoError(t, err)
	require.NoError(t, unix.Close(conn))
}

// reservedPort is a port of 127.0.0.1 that nobody listens on and nobody else gets until the test ends.
func reservedPort(t *testing.T) uint16 {
	t.Helper()

	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))

	bound, err := unix.Getsockname(fd)
	require.NoError(t, err)

	address, _ := bound.(*unix.SockaddrInet4)

	return uint16(address.Port)
}
