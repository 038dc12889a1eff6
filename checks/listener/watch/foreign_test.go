package watch

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// testOnce has a script test a configuration of nginx with a program.
func testOnce(t *testing.T, n *nginx.Nginx, program string) {
	t.Helper()

	verdict, err := n.TestByScript(program)
	require.NoError(t, err)
	require.Zero(t, verdict.ExitCode, verdict.Output)
}

// TestOneTestByNginx1130UnderLoadIsNamedWithinASecond is the incident that this package is for.
func TestOneTestByNginx1130UnderLoadIsNamedWithinASecond(t *testing.T) {
	if !mayWatch() {
		return
	}

	n := nginx.StartT(t, nginx.Options{Workers: 2, ReusePort: true})
	program := badnginx.BuildT(t, badnginx.ThiefOfConnections)
	w := started(t, options(n.PID()))
	clients := load.StartT(t, load.Clients{Address: n.Addr(), Limit: time.Minute})

	require.Eventually(t, func() bool { return clients.Report().Answered > 1000 }, patience, time.Millisecond)

	began := time.Now()

	testOnce(t, n, program)

	e := foreigner(t, w)
	took := time.Since(began)
	require.Less(t, took, time.Second)
	t.Logf("named after %s: %s", took, e.Sentence)

	require.Eventually(t, func() bool { return !foreigner(t, w).Listening }, patience, time.Millisecond)

	e = foreigner(t, w)
	address := addressOf(n.Addr())
	require.Equal(t, Event{
		Number: e.Number, OpenedAt: e.OpenedAt, LifetimeS: e.LifetimeS, Network: listener.TCP, Address: address,
		NamespaceID: e.NamespaceID, Sockets: 2, ReusePort: new(true), Joined: true, Process: e.Process, Parents: e.Parents,
		User: "root", Cgroup: e.Cgroup, Unit: e.Unit, Foreign: true, Sentence: e.Sentence,
		Concerns: []Concern{{MasterPID: n.PID(), MasterAddress: address, Relation: listener.RelationSameAddress, RelationName: "same_address"}},
	}, e)
	require.Less(t, *e.LifetimeS, 1.0)
	require.Equal(t, program, e.Process.Executable)
	require.Contains(t, e.Process.CommandLine, " -t -p "+n.Dir())
	require.Equal(t, "sh", e.Parents[0].Name)
	require.True(t, strings.HasPrefix(e.Parents[0].CommandLine, "/bin/sh -c "+nginx.TestScript), e.Parents[0].CommandLine)
	require.Equal(t, os.Getpid(), e.Parents[1].PID)
	require.Regexp(t, fmt.Sprintf(`^process nginx \(%d: %s -t .*\), started by sh \(%d\) by watch\.test \(%d\) by .*, listened on %s for \d+\.\d ms beside nginx \(master %d\)$`,
		e.Process.PID, program, e.Parents[0].PID, os.Getpid(), n.Addr(), n.PID()), e.Sentence)

	got := w.Snapshot()
	require.Equal(t, []PortCount{{Port: address.Port(), Count: 1}}, got.ForeignByPort)
	require.Equal(t, []ExecutableCount{{Executable: program, Count: 1}}, got.ForeignByExecutable)
	require.True(t, got.ForeignersKnown)
	require.Zero(t, got.Lost)
}

func TestOneTestByNginx1202ThatTakesDatagramsIsNamed(t *testing.T) {
	if !mayWatch() {
		return
	}

	n := nginx.StartT(t, nginx.Options{Stream: []string{nginx.AnswerUDP}})
	w := started(t, options(n.PID()))

	testOnce(t, n, badnginx.BuildT(t, badnginx.ThiefOfDatagrams))

	e := foreigner(t, w)
	require.Equal(t, listener.UDP, e.Network)
	require.Equal(t, addressOf(n.StreamAddr()), e.Address)
	require.True(t, e.Joined)
	require.Equal(t, "sh", e.Parents[0].Name)
	require.Eventually(t, func() bool { return foreigner(t, w).LifetimeS != nil }, patience, time.Millisecond)
}

// TestNginxIsNotForeignToItself does what administrators do to it.
func TestNginxIsNotForeignToItself(t *testing.T) {
	n := nginx.PrepareT(t, nginx.Options{Workers: 2, ReusePort: true, Daemon: true, TLS: true, Stream: []string{nginx.AnswerUDP}})
	o := options()

	var second atomic.Int64

	o.Masters = func(ctx context.Context) ([]listener.Master, error) {
		var pids []int

		for _, pid := range []int{n.PID(), int(second.Load())} {
			if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); pid != 0 && err == nil {
				pids = append(pids, pid)
			}
		}

		return mastersAre(pids...)(ctx)
	}
	w := started(t, o)

	require.NoError(t, n.Start())
	testOnce(t, n, badnginx.BuildT(t, badnginx.Honest))

	for _, change := range []nginx.Options{
		{Workers: 3, ReusePort: true, Daemon: true, TLS: true, IPv6: true, Stream: []string{nginx.AnswerUDP}},
		{Workers: 1, Daemon: true},
	} {
		require.NoError(t, n.Reload(change))
		w.wantMasters()
	}

	successor, err := n.BeginUpgrade()
	require.NoError(t, err)
	second.Store(int64(successor))
	w.wantMasters()
	require.NoError(t, n.FinishUpgrade())

	for range 5 {
		require.NoError(t, n.Halt())
		require.NoError(t, n.Start())
	}

	w.wantMasters()
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()

		return len(w.book.waiting) == 0 && len(w.lookSoon) == 0
	}, patience, time.Millisecond)
	require.Zero(t, w.Snapshot().Foreign, "%+v", w.Snapshot().Foreigners)
}

func TestWhoListensOnAnAddressThatOverlapsIsForeign(t *testing.T) {
	if !mayWatch() {
		return
	}

	for name, c := range map[string]struct {
		own, stranger string
		relation      listener.Relation
		ending        string
	}{
		"one address of any":    {"0.0.0.0", "127.0.0.1", listener.RelationMoreSpecific, "before nginx's 0.0.0.0:PORT"},
		"any of one address":    {"127.0.0.1", "0.0.0.0", listener.RelationLessSpecific, "behind nginx's 127.0.0.1:PORT"},
		"the same address":      {"127.0.0.1", "127.0.0.1", listener.RelationSameAddress, "beside nginx"},
		"IPv4 of both families": {"[::]", "0.0.0.0", listener.RelationMoreSpecific, "before nginx's [::]:PORT"},
		"an address beside it":  {"127.0.0.1", "127.0.0.2", 0, ""},
		"IPv6 beside IPv4":      {"127.0.0.1", "[::1]", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			own := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: c.own + ":0", ReusePort: true}}}, nil)
			port := own.Addresses[0].Port()
			w := started(t, options(own.PID))

			stranger := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{
				{Address: fmt.Sprintf("%s:%d", c.stranger, port), ReusePort: true},
			}}, nil)

			if c.relation == 0 {
				stranger.Stop()
				require.False(t, eventsOf(t, w, stranger.PID, 1)[0].Foreign)
				require.Zero(t, w.Snapshot().Foreign)

				return
			}

			e := foreigner(t, w)
			require.Equal(t, stranger.PID, e.Process.PID)
			require.Equal(t, c.relation, e.Concerns[0].Relation)
			require.True(t, e.Listening)
			require.Contains(t, e.Sentence, "listens on "+e.Address.String()+" "+strings.ReplaceAll(c.ending, "PORT", fmt.Sprint(port)))
		})
	}
}

// judged waits until all are judged that met somebody.
func judged(t *testing.T, w *Watcher) {
	t.Helper()

	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()

		return len(w.book.waiting) == 0
	}, patience, time.Millisecond)
}

func TestWhoIsNotForeign(t *testing.T) {
	if !mayWatch() {
		return
	}

	const address = "127.0.0.1:2000"

	same := []listeners.Socket{{Address: address, ReusePort: true}}

	for name, start := range map[string]func(t *testing.T, own *listeners.Process) *listeners.Process{
		"who listens in another network namespace": func(t *testing.T, _ *listeners.Process) *listeners.Process {
			return listeners.Start(t, listeners.Task{Interfaces: true, Sockets: same}, inItsOwn())
		},
		"who listens where nginx has just ceased to": func(t *testing.T, own *listeners.Process) *listeners.Process {
			own.Stop()

			return listeners.Start(t, listeners.Task{Interfaces: true, Sockets: same}, inItsOwn())
		},
	} {
		t.Run(name, func(t *testing.T) {
			own := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: same}, inItsOwn())
			w := started(t, options(own.PID))
			require.Equal(t, []listener.MasterState{{PID: own.PID, Sockets: 1}}, w.Snapshot().Masters)

			other := start(t, own)
			e := eventsOf(t, w, other.PID, 0)[0]
			judged(t, w)
			require.False(t, e.Joined)
			require.Zero(t, w.Snapshot().Foreign)
		})
	}
}

// TestWhomTheKernelRefusedIsNotForeign has this process bind the address first, and be too late to listen there.
func TestWhomTheKernelRefusedIsNotForeign(t *testing.T) {
	if !mayWatch() {
		return
	}

	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(fd)) })
	require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))

	name, err := unix.Getsockname(fd)
	require.NoError(t, err)

	address := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	own := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: address, ReuseAddress: true}}}, nil)
	w := started(t, options(own.PID))
	require.ErrorIs(t, unix.Listen(fd, 1), unix.EADDRINUSE)

	e := eventsOf(t, w, os.Getpid(), 1)[0]
	require.True(t, e.Refused)
	require.Contains(t, e.Sentence, " was refused to listen on "+address)
	judged(t, w)
	require.Zero(t, w.Snapshot().Foreign)
	require.Positive(t, w.Snapshot().Refused)
}

// TestAnNginxInANetworkNamespaceOfItsOwnIsWatchedOver has a stranger join it there, as in a container.
func TestAnNginxInANetworkNamespaceOfItsOwnIsWatchedOver(t *testing.T) {
	if !mayWatch() {
		return
	}

	same := []listeners.Socket{{Address: "127.0.0.1:2000", ReusePort: true}}
	own := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: same}, inItsOwn())
	w := started(t, options(own.PID))

	stranger := listeners.Start(t, listeners.Task{Sockets: same}, nil, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", own.PID))
	e := foreigner(t, w)
	require.Equal(t, stranger.PID, e.Process.PID)
	require.Equal(t, own.NamespaceID, e.NamespaceID)
}
