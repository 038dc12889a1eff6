package probe

import (
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func ports(numbers ...uint16) map[uint16]struct{} {
	all := make(map[uint16]struct{})
	for _, n := range numbers {
		all[n] = struct{}{}
	}

	return all
}

func TestUDPSocketsOnPortsOfInterestAreTold(t *testing.T) {
	eachMeans(t, func(t *testing.T, p *Probe, functions bool) {
		require.NoError(t, p.SetPorts(ports(1, 2000)))
		require.NoError(t, p.SetPorts(ports()))
		require.NoError(t, p.SetPorts(ports(2000, 2001, 2002)))

		o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{
			{Address: "127.0.0.1:2000", UDP: true, ReusePort: true},
			{Address: "[::1]:2001", UDP: true},
			{Address: "[::]:2002", UDP: true},
			{Address: "127.0.0.1:1", UDP: true},
			{Address: "127.0.0.1:0", UDP: true},
			{Address: "127.0.0.1:2000"},
		}}, inItsOwn())
		o.Stop()

		var opened []Record

		closed := make(map[uint64]Record)

		for _, r := range drain(t, p, 0) {
			switch {
			case r.Socket.Network == listener.UDP && r.Kind == Opened && r.NamespaceID == o.NamespaceID:
				opened = append(opened, r)
			case r.Socket.Network == listener.UDP && r.Kind == Closed:
				closed[r.Socket.Cookie] = r
			}
		}

		require.Len(t, opened, 3)

		for i, address := range []string{"127.0.0.1:2000", "[::1]:2001", "[::]:2002"} {
			r := opened[i]
			want := Record{
				Kind: Opened, SinceBoot: r.SinceBoot, NamespaceID: o.NamespaceID, Tasks: r.Tasks, Arguments: r.Arguments, Program: r.Program,
				Socket: listener.Socket{
					Network: listener.UDP, Address: netip.MustParseAddrPort(address), Cookie: r.Socket.Cookie, CgroupID: r.Socket.CgroupID,
				},
			}

			if functions {
				want.ReusePort = new(i == 0)
				if want.Socket.Address.Addr() == netip.IPv6Unspecified() {
					want.Socket.V6Only = new(false)
				}
			}

			require.Equal(t, want, r)
			require.Equal(t, o.PID, r.Tasks[0].PID)
			require.NotEmpty(t, r.Arguments)

			end := closed[r.Socket.Cookie]
			require.Greater(t, end.SinceBoot, r.SinceBoot)

			if functions {
				require.Equal(t, Record{
					Kind: Closed, SinceBoot: end.SinceBoot, NamespaceID: o.NamespaceID, Socket: want.Socket, ReusePort: want.ReusePort,
				}, end)
			}
		}
	})
}

func TestEveryUDPSocketOfAMillisecondIsToldOnce(t *testing.T) {
	const many = 1000

	eachMeans(t, func(t *testing.T, p *Probe, _ bool) {
		require.NoError(t, p.SetPorts(ports(2000)))

		records := collect(t, p, func() uint64 {
			return listeners.Start(t, listeners.Task{
				Interfaces: true, Listeners: many, Workers: 8, Life: time.Millisecond,
				Brief: listeners.Socket{Address: "127.0.0.1:2000", UDP: true, ReusePort: true},
			}, inItsOwn()).NamespaceID
		})

		opened := make(map[uint64]struct{})
		ended := 0

		for _, r := range records {
			if r.Socket.Network != listener.UDP {
				continue
			}

			if r.Kind == Opened {
				opened[r.Socket.Cookie] = struct{}{}
			} else if _, was := opened[r.Socket.Cookie]; was {
				ended++
			}
		}

		require.Len(t, opened, many)
		require.Equal(t, many, ended)
	})
}

// TestAUDPSocketThatLosesItsPortByDisconnectingIsTold is for a client to which the kernel lent the port (udp(7)). Below a
// cgroup only its end is told.
func TestAUDPSocketThatLosesItsPortByDisconnectingIsTold(t *testing.T) {
	eachMeans(t, func(t *testing.T, p *Probe, functions bool) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		require.NoError(t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9}))

		name, err := unix.Getsockname(fd)
		require.NoError(t, err)

		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		require.NoError(t, err)

		require.NoError(t, p.SetPorts(ports(uint16(name.(*unix.SockaddrInet4).Port))))
		require.NoError(t, p.FollowUDP([]uint64{cookie}))

		var closings []Record

		collectClosings := func() {
			for _, r := range drain(t, p, 0) {
				if r.Kind == Closed && r.Socket.Cookie == cookie {
					closings = append(closings, r)
				}
			}
		}

		nowhere := unix.RawSockaddr{Family: unix.AF_UNSPEC}
		_, _, failed := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nowhere)), unsafe.Sizeof(nowhere))
		require.Zero(t, failed)
		collectClosings()
		require.Equal(t, functions, len(closings) == 1, "%v", closings)
		require.NoError(t, unix.Close(fd))
		collectClosings()
		require.Len(t, closings, 1)
	})
}

// TestTheEndOfAUDPSocketThatWasBoundBeforeIsTold is for those of an nginx whose ports were not of interest yet.
func TestTheEndOfAUDPSocketThatWasBoundBeforeIsTold(t *testing.T) {
	const port = 2000

	eachMeans(t, func(t *testing.T, p *Probe, _ bool) {
		o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{{Address: "127.0.0.1:2000", UDP: true}}}, inItsOwn())
		s, err := listener.NewReader("/proc", "/sys").Snapshot(t.Context(), listener.Query{Port: port, PID: o.PID})
		require.NoError(t, err)
		require.Len(t, s.Sockets, 1)
		require.NoError(t, p.SetPorts(ports(port)))
		require.NoError(t, p.FollowUDP([]uint64{s.Sockets[0].Cookie}))
		o.Stop()

		require.True(t, slices.ContainsFunc(drain(t, p, 0), func(r Record) bool {
			return r.Kind == Closed && r.Socket.Network == listener.UDP && r.Socket.Cookie == s.Sockets[0].Cookie
		}))
	})
}

func TestTooManyUDPPortsAreRefused(t *testing.T) {
	eachMeans(t, func(t *testing.T, p *Probe, _ bool) {
		many := make(map[uint16]struct{})
		for n := range uint16(MaxPorts + 1) {
			many[n] = struct{}{}
		}

		require.EqualError(t, p.SetPorts(many), "cannot watch 1025 UDP ports: there is room for 1024")
		delete(many, 0)
		require.NoError(t, p.SetPorts(many))
	})
}
