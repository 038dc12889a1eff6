package probe

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/kernels"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func TestEveryListenerOfAMillisecondIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		listeners int
		brief     listeners.Socket
	}{
		"of one address":             {10_000, listeners.Socket{Address: "127.0.0.1:0"}},
		"of IPv6":                    {1000, listeners.Socket{Address: "[::1]:0"}},
		"without bind":               {1000, listeners.Socket{Address: "0.0.0.0:0", Unbound: true}},
		"of MPTCP, which have twins": {1000, listeners.Socket{Address: "127.0.0.1:0", Multipath: true}},
		"of one group":               {1000, listeners.Socket{Address: "127.0.0.1:2000", ReusePort: true}},
	} {
		t.Run(name, func(t *testing.T) {
			p, possible := watched(t, RingSize)
			if !possible {
				return
			}

			records := collect(t, p, func() uint64 {
				return listeners.Start(t, listeners.Task{
					Interfaces: true, Listeners: c.listeners, Workers: 8, Life: time.Millisecond, Brief: c.brief,
				}, inItsOwn()).NamespaceID
			})
			lost, err := p.Lost()
			require.NoError(t, err)
			require.Zero(t, lost)

			opened, closed := counts(t, records)
			require.Equal(t, c.listeners, opened)
			require.Equal(t, c.listeners, closed)
		})
	}
}

func TestAcceptedConnectionsAreNoListeners(t *testing.T) {
	connections := 100_000
	if kernels.Emulated() {
		connections = 5000
	}

	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	records := collect(t, p, func() uint64 {
		return listeners.Start(t, listeners.Task{Interfaces: true, Connections: connections, Workers: 8}, inItsOwn()).NamespaceID
	})
	opened, closed := counts(t, records)
	require.Equal(t, 1, opened)
	require.Equal(t, 1, closed)

	// A softirq may interrupt a program with a change of state of another connection, which is none of a listener.
	skipped, err := p.Skipped()
	require.NoError(t, err)
	require.Less(t, skipped, uint64(connections))
	t.Logf("of %d connections the kernel left out %d changes of state", connections, skipped)
}

// TestWhatFindsNoRoomIsCounted has one probe read nothing, and another one all.
func TestWhatFindsNoRoomIsCounted(t *testing.T) {
	const many = 1000

	all, possible := watched(t, RingSize)
	if !possible {
		return
	}

	small, _ := watched(t, os.Getpagesize())
	listeners.Start(t, listeners.Task{Interfaces: true, Listeners: many}, inItsOwn())

	lost, err := small.Lost()
	require.NoError(t, err)

	until := sinceBoot()
	read := drain(t, small, 0)
	require.NotEmpty(t, read)
	require.Positive(t, lost)

	// Others on the host listen as well. Both probes tell of all in one order.
	happened := drain(t, all, 0)
	first := slices.IndexFunc(happened, func(r Record) bool { return r.Kind == read[0].Kind && r.Socket.Cookie == read[0].Socket.Cookie })
	happened = slices.DeleteFunc(happened[max(first, 0):], func(r Record) bool { return r.SinceBoot > until })

	require.GreaterOrEqual(t, len(happened), 2*many)
	require.Len(t, happened, len(read)+int(lost))
}

func sinceBoot() time.Duration {
	var now unix.Timespec

	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)

	return time.Duration(now.Nano())
}

// TestARefusedListenIsTold has two sockets be bound to one address, of which only one can listen.
func TestARefusedListenIsTold(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	same := listeners.Socket{Address: "127.0.0.1:2000", ReuseAddress: true}
	o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{same, same}, Late: true}, inItsOwn())

	records := drain(t, p, o.NamespaceID)
	require.Len(t, records, 3)
	require.False(t, records[0].InListen)
	require.Equal(t, []Kind{Opened, Opened, Closed}, []Kind{records[0].Kind, records[1].Kind, records[2].Kind})
	require.True(t, records[2].InListen, "the kernel took it back")
}

func socketAt(address string) listener.Socket {
	return listener.Socket{Address: netip.MustParseAddrPort(address)}
}

func TestARecordTellsAllOfASocketAndWhoseItIs(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	for name, c := range map[string]struct {
		socket listeners.Socket
		want   listener.Socket
		reuse  bool
	}{
		"IPv4":              {listeners.Socket{Address: "127.0.0.1:2000"}, socketAt("127.0.0.1:2000"), false},
		"with SO_REUSEPORT": {listeners.Socket{Address: "0.0.0.0:2000", ReusePort: true}, socketAt("0.0.0.0:2000"), true},
		"IPv6":              {listeners.Socket{Address: "[::1]:2000"}, socketAt("[::1]:2000"), false},
		"both families":     {listeners.Socket{Address: "[::]:2000"}, listener.Socket{V6Only: new(false), Address: socketAt("[::]:2000").Address}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{c.socket}}, inItsOwn())
			o.Stop()

			records := drain(t, p, o.NamespaceID)
			require.Len(t, records, 2)

			opened, closed := records[0], records[1]
			c.want.Network, c.want.Cookie, c.want.CgroupID = listener.TCP, opened.Socket.Cookie, opened.Socket.CgroupID
			require.NotZero(t, c.want.Cookie)
			require.NotZero(t, c.want.CgroupID)
			require.Equal(t, Record{
				Kind: Opened, SinceBoot: opened.SinceBoot, Socket: c.want, ReusePort: &c.reuse, NamespaceID: o.NamespaceID,
				Tasks: opened.Tasks, Arguments: []byte(os.Args[0] + "\x00"),
				Program: os.Args[0],
			}, opened)
			require.GreaterOrEqual(t, len(opened.Tasks), 2)
			require.Equal(t, o.PID, opened.Tasks[0].PID)
			require.Equal(t, os.Getpid(), opened.Tasks[1].PID)
			require.Equal(t, filepath.Base(os.Args[0]), opened.Tasks[1].Name)
			require.NotZero(t, opened.Tasks[1].StartTicks)
			require.Equal(t, Closed, closed.Kind)
			require.Equal(t, c.want, closed.Socket)
			require.Greater(t, closed.SinceBoot, opened.SinceBoot)
		})
	}
}
