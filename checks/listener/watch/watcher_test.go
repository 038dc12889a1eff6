package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func TestAListenerOfAMillisecondIsNamedWithItsParents(t *testing.T) {
	if !mayWatch() {
		return
	}

	w := started(t, options())
	o := listeners.Start(t, listeners.Task{
		Interfaces: true, Listeners: 1, Life: time.Millisecond, Brief: listeners.Socket{Address: "127.0.0.1:2000", ReusePort: true},
	}, inItsOwn(), "/bin/sh", "-c", `"$0"; exit 0`)

	events := eventsOf(t, w, o.PID, 1)
	require.Len(t, events, 1)

	e := events[0]
	require.InDelta(t, float64(time.Now().Unix()), e.OpenedAt, 20)
	require.Greater(t, *e.LifetimeS, 0.001)
	require.Less(t, *e.LifetimeS, 1.0)
	require.Equal(t, "watch.test", e.Process.Name)
	require.Equal(t, os.Args[0], e.Process.CommandLine)
	require.Equal(t, os.Args[0], e.Process.Executable)
	require.InDelta(t, e.OpenedAt, e.Process.StartedAt, 10)
	require.False(t, e.Process.Brief)
	require.GreaterOrEqual(t, len(e.Parents), 2)
	require.Equal(t, "sh", e.Parents[0].Name)
	require.Contains(t, e.Parents[0].CommandLine, "/bin/sh -c \"$0\"; exit 0")
	require.Equal(t, os.Getpid(), e.Parents[1].PID)

	require.Equal(t, Event{
		Number: e.Number, OpenedAt: e.OpenedAt, LifetimeS: e.LifetimeS, Network: listener.TCP, Address: addressOf("127.0.0.1:2000"),
		NamespaceID: o.NamespaceID, Sockets: 1, ReusePort: new(true), Process: e.Process, Parents: e.Parents, User: "root",
		Cgroup: e.Cgroup, Unit: e.Unit, Sentence: e.sentence(),
	}, e)
}

// TestAProcessThatIsGoneIsNamedByWhatTheKernelTold holds the watch up until it and its parent have ended.
func TestAProcessThatIsGoneIsNamedByWhatTheKernelTold(t *testing.T) {
	if !mayWatch() {
		return
	}

	w := started(t, options())
	w.mu.Lock()
	// The first one is what it is held up with.
	listeners.Start(t, listeners.Task{Listeners: 1}, nil)
	o := listeners.Start(t, listeners.Task{Interfaces: true, Listeners: 1, Ends: true}, inItsOwn(), "/bin/sh", "-c", `"$0"; exit 0`)
	o.Stop()
	w.mu.Unlock()

	e := eventsOf(t, w, o.PID, 1)[0]
	require.True(t, e.Process.Brief)
	require.Equal(t, "watch.test", e.Process.Name)
	require.Equal(t, os.Args[0], e.Process.CommandLine)
	require.Equal(t, os.Args[0], e.Process.Executable)
	require.Equal(t, "root", e.User)
	require.True(t, e.Parents[0].Brief)
	require.Equal(t, "sh", e.Parents[0].Name)
	require.Equal(t, os.Getpid(), e.Parents[1].PID)
	require.False(t, e.Parents[1].Brief)
	require.Contains(t, e.Parents[1].CommandLine, os.Args[0])
}

func TestThePortThatTheKernelChoseIsKnownAtTheEnd(t *testing.T) {
	if !mayWatch() {
		return
	}

	w := started(t, options())
	o := listeners.Start(t, listeners.Task{Listeners: 1, Brief: listeners.Socket{Address: "0.0.0.0:0", Unbound: true}}, nil)
	events := eventsOf(t, w, o.PID, 1)
	require.Len(t, events, 1)
	require.NotZero(t, events[0].Address.Port())
}

func TestThePortThatTheKernelChoseIsKnownAfterALook(t *testing.T) {
	if !mayWatch() {
		return
	}

	w := started(t, options())
	o := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "0.0.0.0:0", Unbound: true}}}, nil)
	require.Zero(t, eventsOf(t, w, o.PID, 0)[0].Address.Port())
	w.wantLook()
	require.Eventually(t, func() bool { return eventsOf(t, w, o.PID, 0)[0].Address == o.Addresses[0] }, patience, time.Millisecond)
}

func TestSocketsOfOneProcessOnOneAddressAreOneEvent(t *testing.T) {
	if !mayWatch() {
		return
	}

	w := started(t, options())
	same := listeners.Socket{Address: "127.0.0.1:2000", ReusePort: true}
	o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{same, same, same}}, inItsOwn())
	o.Stop()

	events := eventsOf(t, w, o.PID, 1)
	require.Len(t, events, 1)
	require.Equal(t, 3, events[0].Sockets)
	require.NotNil(t, events[0].LifetimeS)
	require.False(t, events[0].Joined, "there was nobody but itself")
}

func TestWhatIsOpenedByTheWatchItselfIsCountedAndNotListed(t *testing.T) {
	if !mayWatch() {
		return
	}

	o := options()
	o.ListOwn = false
	w := started(t, o)
	before := w.Snapshot()
	child := listeners.Start(t, listeners.Task{Listeners: 100}, nil, "/bin/sh", "-c", `/bin/sh -c "/bin/sh -c '/bin/sh -c \"$0; true\"; true'; true"; true`)

	require.Eventually(t, func() bool { return w.Snapshot().Ours == before.Ours+100 }, patience, time.Millisecond)

	for _, e := range w.Snapshot().Events {
		require.NotEqual(t, child.PID, e.Process.PID)
	}
}

func TestAWatchIsStartedOnceAndEndsOnce(t *testing.T) {
	w := New(options())
	require.Equal(t, coverage(StateOff, "the watch has not been started", 0), w.Snapshot().TCP)
	require.NoError(t, w.Close())

	require.NoError(t, w.Start(context.Background()))
	require.EqualError(t, w.Start(context.Background()), "cannot start the watch of listeners: it runs already; call Close first")
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.Equal(t, coverage(StateOff, "the watch was ended", 0), w.Snapshot().TCP)
	require.Equal(t, coverage(StateOff, "the watch was ended", 0), w.Snapshot().UDP)

	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, w.Start(ctx))
	cancel()
	require.Eventually(t, func() bool { return w.Snapshot().TCP.State == StateOff }, patience, time.Millisecond)
	require.NoError(t, w.Start(context.Background()), "it can be started again")
	require.NoError(t, w.Close())
}

func TestWhereNothingCanBeSeenTheWatchDoesNotStart(t *testing.T) {
	o := options()
	o.ProcPath = t.TempDir()
	w := New(o)
	require.EqualError(t, w.Start(context.Background()),
		"cannot watch listeners: cannot find this process below "+o.ProcPath+": no such file or directory; mount proc there")
	require.Equal(t, StateOff, w.Snapshot().TCP.State)
}

func TestWhereTheNginxAreUnknownItIsSaid(t *testing.T) {
	o := options()
	o.Masters = func(context.Context) ([]listener.Master, error) { return nil, errors.New("the helper is gone") }
	w := started(t, o)
	got := w.Snapshot()
	require.False(t, got.ForeignersKnown)
	require.Equal(t, "cannot find the nginx that run: the helper is gone", got.ForeignersError)
}

// TestWhereSockDiagCannotBeAskedItIsSaid has the kernel refuse sockets to this process, as a sandbox may.
func TestWhereSockDiagCannotBeAskedItIsSaid(t *testing.T) {
	if !mayWatch() {
		return
	}

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	own := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "127.0.0.1:0"}}}, nil)
	require.NoError(t, apart.RefuseCall(unix.SYS_SOCKET, unix.EPROTONOSUPPORT))

	got := started(t, options(own.PID)).Snapshot()
	require.False(t, got.ForeignersKnown)
	require.Equal(t, "cannot tell which sockets are nginx's: the tcp sockets are from /proc/net, without cgroup and backlog: "+
		"cannot open a sock_diag socket: protocol not supported", got.ForeignersError)
}

// TestWhereAContainerCannotBeEnteredItIsSaidOfThatOnly is the packaged unit, which has no CAP_SYS_ADMIN: of all of the host it was said, and to root, to
// become root.
func TestWhereAContainerCannotBeEnteredItIsSaidOfThatOnly(t *testing.T) {
	if !mayWatch() {
		return
	}

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	own := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{{Address: "127.0.0.1:2000"}}}, inItsOwn())
	require.NoError(t, apart.RefuseCall(unix.SYS_SETNS, unix.EPERM))

	got := started(t, options(own.PID)).Snapshot()
	require.Equal(t, []listener.MasterState{{PID: own.PID, Sockets: 1}}, got.Masters)
	require.False(t, got.ForeignersKnown)
	require.Equal(t, fmt.Sprintf("cannot tell which sockets are nginx's in the network namespace of process %[1]d (a container's): "+
		"the tcp sockets are from /proc/net, without cgroup and backlog: cannot enter the network namespace of process %[1]d: operation not permitted; "+
		"it takes root with CAP_SYS_ADMIN; who listens there beside nginx is seen by hosting.listener.get, when it is asked", own.PID), got.ForeignersError)
}

func TestTheNamespacesWithoutCookiesAreCounted(t *testing.T) {
	t.Parallel()

	note := []string{"the tcp sockets are from /proc/net"}

	for want, standings := range map[string][]listener.Standing{
		"": {{}, {PID: 7}},
		"cannot tell which sockets are nginx's: the tcp sockets are from /proc/net": {{Notes: note}, {PID: 7, Notes: note}},
		"cannot tell which sockets are nginx's in the network namespace of process 7 (a container's) and 2 others: the tcp sockets are from /proc/net; " +
			"who listens there beside nginx is seen by hosting.listener.get, when it is asked": {{}, {PID: 7, Notes: note}, {PID: 8, Notes: note}, {PID: 9, Notes: note}},
	} {
		require.Equal(t, want, withoutCookies(standings))
	}
}

// TestLostRecordsAreCountedAndWhatTheyToldOfIsForgotten holds the watch up while the ring overflows with a closing.
func TestLostRecordsAreCountedAndWhatTheyToldOfIsForgotten(t *testing.T) {
	if !mayWatch() {
		return
	}

	w := New(options())
	w.ringSize = os.Getpagesize()
	require.NoError(t, w.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, w.Close()) })

	o := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "127.0.0.1:0"}}}, nil)
	eventsOf(t, w, o.PID, 0)

	w.mu.Lock()
	listeners.Start(t, listeners.Task{Listeners: 1}, nil)

	// It has read the opening and waits, so that it makes no more room in the ring.
	for w.probe.Backlog() > 0.1 {
		time.Sleep(time.Millisecond)
	}

	listeners.Start(t, listeners.Task{Listeners: 100}, nil)
	o.Stop()
	w.mu.Unlock()

	events := eventsOf(t, w, o.PID, 1)
	require.Nil(t, events[0].LifetimeS, "its end was not seen")
	require.Positive(t, w.Snapshot().Lost)
}

func TestTenThousandListenersAreCountedAndLeaveNothingBehind(t *testing.T) {
	if !mayWatch() {
		return
	}

	const many = 10_000

	w := started(t, options())
	before := w.Snapshot()
	o := listeners.Start(t, listeners.Task{Interfaces: true, Listeners: many, Workers: 8, Life: time.Millisecond}, inItsOwn())
	other := listeners.Start(t, listeners.Task{Listeners: 1}, nil)

	// What came before it has been taken down.
	eventsOf(t, w, other.PID, 1)

	got := w.Snapshot()
	require.Zero(t, got.Lost)
	require.GreaterOrEqual(t, got.Opened-before.Opened, uint64(many))
	require.GreaterOrEqual(t, got.Closed-before.Closed, uint64(many))
	require.Len(t, got.Events, maxKept)

	w.mu.Lock()
	defer w.mu.Unlock()

	for _, e := range w.book.table.byKey {
		require.NotEqual(t, o.NamespaceID, e.namespace)
	}

	for key := range w.book.episodes {
		require.NotEqual(t, o.NamespaceID, key.namespace)
	}
}

func TestAfterALookNobodyGetsAnotherSoon(t *testing.T) {
	t.Parallel()

	for took, rest := range map[time.Duration]time.Duration{
		0: lookPause, time.Millisecond: lookPause, 10 * time.Millisecond: 500 * time.Millisecond, time.Second: 50 * time.Second,
	} {
		require.Equal(t, rest, leastRest(took), took)
	}
}

// TestWhoAsksForLooksAllTheTimeDoesNotKeepTheWatchBusy is two processes of a user who reopen a port that they share.
func TestWhoAsksForLooksAllTheTimeDoesNotKeepTheWatchBusy(t *testing.T) {
	const search = 100 * time.Millisecond

	var searches atomic.Int64

	o := options()
	o.PollOnly = true
	o.Masters = func(context.Context) ([]listener.Master, error) {
		searches.Add(1)
		time.Sleep(search)

		return nil, nil
	}
	w := started(t, o)

	for range 200 {
		w.wantMasters()
		time.Sleep(10 * time.Millisecond)
	}

	require.Equal(t, int64(2), searches.Load(), "at the start, and once more in less than 50 times as long as it took")
}

// TestALookAfterALossDoesNotSearchForNginx is what is done again and again while more comes than can be read.
func TestALookAfterALossDoesNotSearchForNginx(t *testing.T) {
	var searches atomic.Int64

	o := options()
	o.Masters = func(context.Context) ([]listener.Master, error) {
		searches.Add(1)

		return nil, nil
	}
	w := started(t, o)
	looked := func() time.Duration {
		w.mu.Lock()
		defer w.mu.Unlock()

		return w.book.refreshedAt
	}
	first := looked()

	w.wantLook()
	require.Eventually(t, func() bool { return looked() > first }, patience, time.Millisecond)
	require.Equal(t, int64(1), searches.Load())

	w.wantMasters()
	require.Eventually(t, func() bool { return searches.Load() == 2 }, patience, time.Millisecond)
}
