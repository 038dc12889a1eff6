package watch

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

const (
	namespace = 4026531833
	masterPID = 100
)

func emptyBook() *book { return newBook(listener.NewReader("/proc", "/sys"), 0) }

// by is a process right below init.
func by(pid int) *opener {
	tasks := []probe.Task{{PID: pid, StartTicks: uint64(pid), Name: "listens"}, {PID: 1, Name: "init"}}

	return &opener{tasks: tasks, process: &Process{PID: pid, Name: "listens"}}
}

func at(cookie uint64, port uint16) listener.Socket {
	return listener.Socket{Network: listener.TCP, Cookie: cookie, Address: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
}

func (b *book) opens(cookie uint64, port uint16, pid int, when time.Duration) {
	b.open(&opening{socket: at(cookie, port), namespace: namespace, at: when, by: by(pid)})
}

// nginxHolds is a book in which an nginx listens on ports.
func nginxHolds(ports ...uint16) *book {
	b := emptyBook()

	for _, port := range ports {
		b.table.put(&entry{key: uint64(port), socket: at(uint64(port), port), namespace: namespace, masters: []int{masterPID}})
	}

	b.refreshedAt = 1

	return b
}

func TestTheLastHundredAreKeptNewestFirst(t *testing.T) {
	t.Parallel()

	b := emptyBook()

	for i := range 150 {
		b.opens(uint64(i+1), uint16(i+1), i+1, time.Duration(i+1))
	}

	events := b.lastEvents.events()
	require.Len(t, events, maxKept)
	require.Equal(t, uint64(150), events[0].Number)
	require.Equal(t, uint64(51), events[maxKept-1].Number)
	require.Equal(t, uint64(150), b.opened)
}

func TestForeignersOfManyPortsAndProgramsAreCountedInBoundedMemory(t *testing.T) {
	t.Parallel()

	var ports []uint16
	for port := uint16(1); port <= 2*maxTallied; port++ {
		ports = append(ports, port)
	}

	b := nginxHolds(ports...)

	for _, port := range ports {
		b.opens(1000+uint64(port), port, 1000+int(port), 10)
	}

	b.opens(5000, 7, 5000, 11)
	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(2*maxTallied+1), b.foreign)
	require.Equal(t, uint64(maxTallied), b.foreignByPort.other)
	require.Equal(t, uint16(7), b.foreignByPort.names()[0], "the largest count first")
	require.Equal(t, uint64(2), b.foreignByPort.counts[7])
	require.Equal(t, []string{"listens"}, b.foreignByProgram.names())
	require.Len(t, b.lastForeigners, maxKept)
}

func TestASocketThatALookKnewBeforeItsRecordIsOneSocket(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.opens(80, 80, masterPID, 5)
	require.Len(t, b.table.byKey, 1)
	require.Equal(t, []int{masterPID}, b.table.byKey[80].masters)
	b.close(&closing{key: 80, at: 10})
	require.Empty(t, b.table.byKey)
	require.Empty(t, b.table.byPort)
	require.Equal(t, new(time.Duration(5).Seconds()), b.lastEvents.events()[0].LifetimeS)
}

func TestASocketThatIsClosedDuringALookDoesNotComeBack(t *testing.T) {
	t.Parallel()

	b := emptyBook()
	b.opens(7, 80, 2, 5)

	l := &look{begunAt: 10, standings: []listener.Standing{{NamespaceID: namespace, Sockets: []listener.Socket{at(7, 80), at(8, 81)}}}}
	b.beginLook()
	b.close(&closing{key: 7, at: 11})
	require.Empty(t, b.take(l))
	require.Len(t, b.table.byKey, 1)
	require.Contains(t, b.table.byKey, uint64(8))
}

func TestWhoMetASocketOfUnknownOwnersWaitsForALook(t *testing.T) {
	t.Parallel()

	b := nginxHolds()
	b.opens(7, 80, 2, 5)
	b.opens(8, 80, 3, 6)
	require.True(t, b.judge(time.Second), "somebody must look")
	require.Len(t, b.waiting, 1)

	// A look that fails ends the wait, by what is known.
	b.giveUp(time.Minute)
	require.False(t, b.judge(time.Second))
	require.Empty(t, b.waiting)
	require.Zero(t, b.foreign)
}

func TestWhoMetASocketThatNginxOpenedAndClosedIsForeign(t *testing.T) {
	t.Parallel()

	b := nginxHolds()
	b.opens(7, 80, masterPID, 5)
	b.opens(8, 80, 3, 6)
	b.close(&closing{key: 7, at: 7})
	require.True(t, b.judge(time.Second))

	b.nginx = map[uint64][]listener.Nginx{namespace: {{Masters: []int{masterPID}}}}
	b.refreshedAt = 10
	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(1), b.foreign)
}

func TestTooManyThatWaitAreJudgedByWhatIsKnown(t *testing.T) {
	t.Parallel()

	b := nginxHolds()
	b.opens(1, 80, 1, 5)

	for i := range maxWaiting + 10 {
		b.opens(uint64(i+2), 80, i+2, 6)
	}

	require.True(t, b.judge(time.Second))
	require.Len(t, b.waiting, maxWaiting)
}

func TestAFullTableCountsOnly(t *testing.T) {
	t.Parallel()

	b := emptyBook()
	for i := range maxEntries + 1 {
		b.opens(uint64(i+1), uint16(i%60_000+1), 2, 5)
	}

	require.Len(t, b.table.byKey, maxEntries)
	require.Equal(t, uint64(maxEntries+1), b.opened)

	last := b.lastEvents.events()[0]
	require.False(t, last.Listening, "nobody would tell of its end")
	b.close(&closing{key: maxEntries + 1, at: 6})
	require.Equal(t, uint64(1), b.closed)
}

// TestWhatAnNginxDidNotCloseIsForgotten is after closings were lost.
func TestWhatWasClosedUnseenIsForgotten(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.opens(7, 81, 2, 5)
	b.opens(8, 82, 2, 20)
	b.beginLook()
	b.take(&look{begunAt: 10, distrust: true, standings: []listener.Standing{{NamespaceID: namespace}}})
	require.Len(t, b.table.byKey, 1)
	require.Contains(t, b.table.byKey, uint64(8), "it was opened after the look was begun")
	require.Nil(t, b.lastEvents.events()[1].LifetimeS)
	require.False(t, b.lastEvents.events()[1].Listening)
}

// TestAPayloadStaysSmall has as much be said of each event as there is room for.
func TestAPayloadStaysSmall(t *testing.T) {
	t.Parallel()

	const bound = 768 << 10

	long := strings.Repeat("x", 4096)
	n := newNamer(listener.NewReader("/proc", "/sys"), func(probe.Task) []byte { return []byte(long) })
	r := &probe.Record{Arguments: []byte(long), Program: long, Socket: listener.Socket{UID: 1}}

	for i := range maxParents + 1 {
		r.Tasks = append(r.Tasks, probe.Task{PID: 1<<22 + i, StartTicks: 1, Name: long})
	}

	opener := n.fromKernel(r, true)
	opener.cgroup, opener.unit = strings.Repeat("x", 512), strings.Repeat("x", 256)

	w := New(Options{ProcPath: "/proc", SysPath: "/sys"})
	w.book = nginxHolds(80)
	w.book.table.byKey[80].masters = []int{masterPID}

	for i := range maxKept {
		key := uint64(1000 + i)
		opener.tasks = []probe.Task{{PID: 1000 + i, StartTicks: 1}}
		w.book.open(&opening{socket: at(key, 80), namespace: namespace, at: 2, by: new(*opener)})
	}

	require.False(t, w.book.judge(time.Second))

	got := w.Snapshot()
	require.Len(t, got.Foreigners, maxKept)
	require.Len(t, got.Events, maxKept)

	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.Less(t, len(text), bound)
}
