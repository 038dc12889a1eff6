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

// fill has one process hold as many sockets as there is room for.
func (b *book) fill() {
	for i := len(b.table.byKey); i < maxEntries; i++ {
		b.opens(uint64(100_000+i), uint16(i%50_000+10_000), 2, 5)
	}
}

// TestAFullTableDoesNotHideAForeigner is what any user could make of it: to fill the table before joining nginx's port.
func TestAFullTableDoesNotHideAForeigner(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.fill()
	require.Empty(t, b.full())

	b.opens(7, 80, 3, 6)
	require.Len(t, b.table.byKey, maxEntries)
	require.Regexp(t, "^cannot tell of each socket .*: more than 50000 receive clients", b.full())
	require.False(t, b.lastEvents.events()[0].Listening, "nobody would tell of its end")

	require.False(t, b.judge(6), "the kernel may refuse it yet")
	require.Zero(t, b.foreign)
	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(1), b.foreign)

	b.close(&closing{key: 7, at: 7})
	require.Equal(t, uint64(1), b.closed)
}

func TestWhomTheKernelRefusesIsNotForeignInAFullTableEither(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.fill()
	b.opens(7, 80, 3, 6)
	b.close(&closing{key: 7, at: 7, inListen: true})
	require.False(t, b.judge(time.Second))
	require.Zero(t, b.foreign)
}

func TestATableIsFullUntilALookFindsRoomForAll(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.fill()
	b.opens(7, 81, 3, 6)

	l := &look{begunAt: 10, standings: []listener.Standing{{NamespaceID: namespace, Sockets: []listener.Socket{at(7, 81)}}}}
	b.beginLook()
	b.take(l)
	require.NotEmpty(t, b.full())

	b.close(&closing{key: 100_001, at: 11})

	l.begunAt = 12
	b.beginLook()
	b.take(l)
	require.Empty(t, b.full())

	w := New(Options{ProcPath: "/proc", SysPath: "/sys"})
	w.book = b
	require.True(t, w.Snapshot().ForeignersKnown)
	b.opens(8, 81, 3, 13)
	require.False(t, w.Snapshot().ForeignersKnown)
	require.Equal(t, b.full(), w.Snapshot().ForeignersError)
}

// TestWhoHoldsManySocketsMakesNobodyElsesDearer is an attack on the watch: each of another process's sockets would be compared with all of them.
func TestWhoHoldsManySocketsMakesNobodyElsesDearer(t *testing.T) {
	t.Parallel()

	const many = 20_000

	b := nginxHolds(80)
	for i := range many {
		b.opens(uint64(1000+i), 80, 2, 5)
	}

	for i := range many {
		socket := at(uint64(100_000+i), 80)
		socket.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), 80)
		b.open(&opening{socket: socket, namespace: namespace, at: 5, by: by(3)})
	}

	neighbors := b.table.byPort[b.table.byKey[80].port()]
	require.Len(t, neighbors.nginx, 1)
	require.Len(t, neighbors.others, many+1)
	require.Equal(t, many+1, neighbors.at[b.table.byKey[80].spotKey().place])

	all := at(200_000, 80)
	all.Address = netip.AddrPortFrom(netip.IPv4Unspecified(), 80)
	b.open(&opening{socket: all, namespace: namespace, at: 6, by: by(4)})

	met := b.waiting[len(b.waiting)-1].met
	require.Len(t, met, 1+maxMet)
	require.Equal(t, []int{masterPID}, met[0].other.masters, "an nginx comes first")

	for i := range many {
		b.close(&closing{key: uint64(1000 + i), at: 7})
		b.close(&closing{key: uint64(100_000 + i), at: 7})
	}

	require.Len(t, b.table.byKey, 2)
	require.Len(t, neighbors.others, 1)
	require.Equal(t, all, neighbors.others[0].entries[0].socket)
	b.close(&closing{key: 200_000, at: 8})
	b.close(&closing{key: 80, at: 8})
	require.Empty(t, b.table.byPort)
}

// TestWhatWasClosedUnseenIsForgotten is after closings were lost.
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

// TestWhatWasNotLookedAtIsNotForgotten is a socket in a container without an nginx: it was reported as ended after a lost record.
func TestWhatWasNotLookedAtIsNotForgotten(t *testing.T) {
	t.Parallel()

	const elsewhere = namespace + 1

	b := nginxHolds(80)
	b.open(&opening{socket: at(7, 81), namespace: elsewhere, at: 5, by: by(2)})

	l := &look{begunAt: 10, distrust: true, standings: []listener.Standing{{NamespaceID: namespace, Sockets: []listener.Socket{at(80, 80)}}}}
	b.beginLook()
	b.take(l)
	require.Contains(t, b.table.byKey, uint64(7))
	require.True(t, b.lastEvents.events()[0].Listening)

	for i := range maxEntries / 2 {
		b.open(&opening{socket: at(uint64(1000+i), 82), namespace: elsewhere, at: 11, by: by(3)})
	}

	l.begunAt = 12
	b.beginLook()
	b.take(l)
	require.Len(t, b.table.byKey, 1, "there must be room for others")
	require.Contains(t, b.table.byKey, uint64(80))
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
