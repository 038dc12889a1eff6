package probe

import (
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// inItsOwn starts a process in a network namespace of its own, so that its sockets are told from those of others.
func inItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET} }

// watched is a probe that is closed at the test's end. It is false for those who may not watch, to whom the reason is told.
func watched(t *testing.T, ringSize int) (p *Probe, possible bool) {
	t.Helper()

	p, err := Open(ringSize)
	if os.Geteuid() != 0 {
		require.ErrorIs(t, err, fs.ErrPermission)
		require.EqualError(t, err, "cannot watch TCP listeners in the kernel: operation not permitted without CAP_BPF and CAP_PERFMON; use the root helper")

		return nil, false
	}

	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })

	return p, true
}

// drain reads all records there are, and keeps those of a network namespace.
func drain(t *testing.T, p *Probe, namespace uint64) (records []Record) {
	t.Helper()
	p.Wake()

	for {
		r, err := p.Read(time.Time{})
		if err != nil {
			require.ErrorIs(t, err, ErrWoken)

			return records
		}

		if namespace == 0 || r.NamespaceID == namespace {
			records = append(records, r)
		}
	}
}

// collect reads records as they come, until the function ends.
func collect(t *testing.T, p *Probe, during func() (namespace uint64)) (records []Record) {
	t.Helper()

	all := make(chan []Record)

	go func() {
		var read []Record

		for {
			r, err := p.Read(time.Time{})
			if err != nil {
				all <- read

				return
			}

			read = append(read, r)
		}
	}()

	namespace := during()

	p.Wake()

	for _, r := range append(<-all, drain(t, p, 0)...) {
		if r.NamespaceID == namespace {
			records = append(records, r)
		}
	}

	return records
}

// counts are the openings and closings, each of which must have its partner.
func counts(t *testing.T, records []Record) (opened, closed int) {
	t.Helper()

	open := make(map[uint64]struct{})

	for _, r := range records {
		if r.Kind == Opened {
			require.NotContains(t, open, r.Socket.Cookie)

			open[r.Socket.Cookie] = struct{}{}
			opened++
		} else {
			require.Contains(t, open, r.Socket.Cookie)
			delete(open, r.Socket.Cookie)

			closed++
		}
	}

	return opened, closed
}

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
	const connections = 100_000

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
			require.Equal(t, "probe.test", opened.Tasks[1].Name)
			require.NotZero(t, opened.Tasks[1].StartTicks)
			require.Equal(t, Closed, closed.Kind)
			require.Equal(t, c.want, closed.Socket)
			require.Greater(t, closed.SinceBoot, opened.SinceBoot)
		})
	}
}
