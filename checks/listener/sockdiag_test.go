package listener

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// open opens sockets in this process until the test ends.
func open(t testing.TB, l listenTask) (fd int, address netip.AddrPort) {
	t.Helper()

	fd, address, err := l.open()
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })

	return fd, address
}

// expected is what the kernel tells of the socket in other ways.
func expected(t testing.TB, network Network, address netip.AddrPort, fd int) Socket {
	t.Helper()

	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	require.NoError(t, err)

	s := Socket{Network: network, Address: address, UID: uint32(os.Geteuid()), Inode: inodeOf(t, fd), Cookie: cookie}
	if network == TCP {
		s.Backlog = 7
	}

	if isV6Any(address.Addr()) {
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		require.NoError(t, err)

		s.V6Only = new(only != 0)
	}

	return s
}

func inodeOf(t testing.TB, fd int) uint32 {
	t.Helper()

	var stat unix.Stat_t
	require.NoError(t, unix.Fstat(fd, &stat))

	return uint32(stat.Ino)
}

// snapshot leaves out the cgroup, which has a test of its own.
func snapshot(t testing.TB, q Query) []Socket {
	t.Helper()

	s, err := NewReader("/proc", "/sys").Snapshot(limited(t), q)
	require.NoError(t, err)
	require.Zero(t, s.Omitted)
	require.Empty(t, s.Notes)

	for i := range s.Sockets {
		s.Sockets[i].CgroupID = 0
	}

	return s.Sockets
}

func withPort(address string, port uint16) string {
	return net.JoinHostPort(address, strconv.Itoa(int(port)))
}

func TestASnapshotHoldsTheListenersOfThePort(t *testing.T) {
	for _, network := range []Network{TCP, UDP} {
		t.Run(string(network), func(t *testing.T) {
			fd, first := open(t, listenTask{Network: network, Address: "127.0.0.1:0", ReusePort: true})
			port := first.Port()
			want := []Socket{expected(t, network, first, fd)}

			for _, l := range []listenTask{
				{Address: withPort("127.0.0.1", port), ReusePort: true},
				{Address: withPort("127.0.0.2", port)},
				{Address: withPort("::1", port), ReusePort: true},
				{Address: withPort("::", port), V6Only: true, ReusePort: true},
			} {
				l.Network = network
				fd, address := open(t, l)
				want = append(want, expected(t, network, address, fd))
			}

			_, other := open(t, listenTask{Network: network, Address: "127.0.0.1:0"})
			require.NotEqual(t, port, other.Port())

			require.ElementsMatch(t, want, snapshot(t, Query{Port: port}))
			require.ElementsMatch(t, want, snapshot(t, Query{Port: port, Network: network}))
			require.Subset(t, snapshot(t, Query{}), want)
			require.Subset(t, snapshot(t, Query{PID: os.Getppid(), Port: port}), want)
		})
	}
}

func TestASnapshotTellsWhetherAnyAddressOfIPv6ServesIPv4(t *testing.T) {
	fd, address := open(t, listenTask{Network: TCP, Address: "[::]:0"})
	want := expected(t, TCP, address, fd)
	require.False(t, *want.V6Only)
	require.Equal(t, []Socket{want}, snapshot(t, Query{Port: address.Port()}))
}

func TestASnapshotTellsMappedAddressesApart(t *testing.T) {
	fd, address := open(t, listenTask{Network: TCP, Address: "[::ffff:127.0.0.1]:0"})
	require.Equal(t, []Socket{expected(t, TCP, address, fd)}, snapshot(t, Query{Port: address.Port()}))
}

func TestASnapshotTellsTheDevice(t *testing.T) {
	fd, address := open(t, listenTask{Network: UDP, Address: "127.0.0.1:0"})
	require.NoError(t, unix.BindToDevice(fd, "lo"))

	want := expected(t, UDP, address, fd)
	want.InterfaceIndex, want.Interface = 1, "lo"
	require.Equal(t, []Socket{want}, snapshot(t, Query{Port: address.Port()}))
}

func TestASnapshotTellsTheQueue(t *testing.T) {
	_, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})

	for range 2 {
		conn, err := net.Dial("tcp", address.String())
		require.NoError(t, err)

		defer conn.Close()
	}

	require.Eventually(t, func() bool {
		sockets := snapshot(t, Query{Port: address.Port()})

		return len(sockets) == 1 && sockets[0].Queue == 2
	}, 10*time.Second, 10*time.Millisecond)
}

func TestASnapshotLeavesOutWhatReceivesNoClients(t *testing.T) {
	fd, address := open(t, listenTask{Network: UDP, Address: "127.0.0.1:0"})
	require.Len(t, snapshot(t, Query{Port: address.Port()}), 1)

	require.NoError(t, unix.Connect(fd, sockaddr(address)))
	require.Empty(t, snapshot(t, Query{Port: address.Port()}))
}

// TestTheKernelItselfFilters asks with a port but keeps what comes, because old descriptions of sock_diag doubt that a
// dump heeds it.
func TestTheKernelItselfFilters(t *testing.T) {
	for _, l := range []listenTask{
		{Network: TCP, Address: "127.0.0.1:0"}, {Network: TCP, Address: "[::1]:0"},
		{Network: UDP, Address: "127.0.0.1:0"}, {Network: UDP, Address: "[::1]:0"},
	} {
		open(t, l)
		_, address := open(t, l)

		q, err := openInquiry(limited(t))
		require.NoError(t, err)

		defer q.close()

		var everything collection
		require.NoError(t, q.list(limited(t), l.Network, address.Port(), &everything))
		require.Len(t, everything.sockets, 1)
		require.Equal(t, address, everything.sockets[0].Address)
	}
}
