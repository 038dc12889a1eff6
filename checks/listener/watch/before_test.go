package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// nginxIsFound has a look find that a socket is nginx's.
func (b *book) nginxIsFound(cookie uint64, port uint16) {
	b.mastersKnown, b.refreshedAt = true, 10
	socket := at(cookie, port)
	b.update(b.table.byKey[cookie], &socket, []int{masterPID})
}

// TestWhoListensBeforeNginxIsForeignToo is of a process that waited on port 80 with reuseport until nginx was started: only who came later was compared.
func TestWhoListensBeforeNginxIsForeignToo(t *testing.T) {
	t.Parallel()

	b := nginxHolds()
	b.opens(7, 80, 3, 5)
	b.opens(8, 80, masterPID, 6)
	b.opens(9, 81, 4, 6)
	require.True(t, b.judge(time.Second))

	b.nginxIsFound(8, 80)
	require.Empty(t, b.strangers(), "it is known who opened them")
	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(1), b.foreign)

	e := b.lastForeigners.events()[0]
	require.Equal(t, 3, e.Process.PID)
	require.Equal(t, "process listens (3) listens on 127.0.0.1:80 beside nginx (master 100)", e.Sentence)

	b.nginxIsFound(8, 80)
	require.Empty(t, b.strangers())
	require.Empty(t, b.waiting, "it is compared once")
}

func TestWhoWasThereBeforeTheWatchIsAnEventOnlyWhereItIsForeign(t *testing.T) {
	t.Parallel()

	b := nginxHolds()
	b.begunAt = 1

	for cookie := uint64(7); cookie <= 10; cookie++ {
		b.find(&entry{key: cookie, socket: at(cookie, 80), namespace: namespace}, 1)
	}

	b.find(&entry{key: 20, socket: at(20, 80), namespace: namespace, masters: []int{masterPID}}, 1)
	require.Empty(t, b.strangers(), "it is not known of all nginx what is theirs")

	b.mastersKnown = true
	before := b.strangers()
	require.Len(t, before, 4)
	require.Empty(t, b.strangers(), "they are compared once")

	b.close(&closing{key: 10, at: 5})

	worker := by(5)
	worker.tasks[1].PID = masterPID

	for _, e := range before {
		switch e.key {
		case 7, 8, 10:
			b.stood(e, by(3))
		default:
			b.stood(e, worker)
		}
	}

	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(1), b.foreign)
	require.Zero(t, b.opened, "nobody opened them")
	require.Equal(t, b.lastForeigners, b.lastEvents)

	e := b.lastEvents.events()[0]
	require.Equal(t, []any{uint64(1), 2, true}, []any{e.Number, e.Sockets, e.Listening})
	require.InDelta(t, unixSeconds(wallTime(b.begunAt)), e.OpenedAt, 1)
	require.Equal(t, "process listens (3) listens on 127.0.0.1:80, since before the watch began, beside nginx (master 100)", e.Sentence)

	b.close(&closing{key: 7, at: 9})
	b.close(&closing{key: 8, at: 9})

	e = b.lastEvents.events()[0]
	require.False(t, e.Listening)
	require.Nil(t, e.LifetimeS, "its beginning is not known")
	require.Contains(t, e.Sentence, " listened on 127.0.0.1:80, since before the watch began, beside")
}

// TestASocketWhoseRecordIsStillToComeWasNotThereBefore is one that a look was quicker to see than the record was to be read.
func TestASocketWhoseRecordIsStillToComeWasNotThereBefore(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.begunAt, b.mastersKnown = 1, true
	b.find(&entry{key: 7, socket: at(7, 80), namespace: namespace}, 20)
	b.find(&entry{key: 8, socket: at(8, 80), namespace: namespace}, 1)
	b.gain(b.table.byKey[80])

	before := b.strangers()
	require.Len(t, before, 1)
	require.Equal(t, uint64(8), before[0].key)
	b.opens(7, 80, 3, 15)
	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(1), b.foreign)

	// Its record may be that of a socket that was opened while the watch began.
	b.stood(before[0], by(4))
	b.opens(8, 80, 4, 2)
	require.False(t, b.judge(time.Second))

	listening := 0

	for _, e := range b.lastEvents.events() {
		if e.Listening {
			listening++
		}
	}

	require.Equal(t, 2, listening)
}

func TestWhatThePluginItselfHadOpenBeforeIsNotListed(t *testing.T) {
	t.Parallel()

	b := nginxHolds(80)
	b.own, b.begunAt, b.mastersKnown = 3, 1, true
	b.find(&entry{key: 7, socket: at(7, 80), namespace: namespace}, 1)
	b.gain(b.table.byKey[80])

	for _, e := range b.strangers() {
		b.stood(e, by(3))
	}

	require.False(t, b.judge(time.Second))
	require.Zero(t, b.foreign)
	require.Empty(t, b.table.byPort[b.table.byKey[80].port()].others)
}

func TestOfTooManyStrangersTheNextLookTakesTheRest(t *testing.T) {
	t.Parallel()

	const many = 2*maxWalked + 10

	b := nginxHolds(80)
	b.begunAt, b.mastersKnown = 1, true
	b.gain(b.table.byKey[80])

	for i := range many {
		b.find(&entry{key: uint64(1000 + i), socket: at(uint64(1000+i), 80), namespace: namespace}, 1)
	}

	for _, want := range []int{maxWalked, maxWalked, 10, 0} {
		before := b.strangers()
		require.Len(t, before, want)

		for _, e := range before {
			b.stood(e, by(3))
		}
	}

	require.False(t, b.judge(time.Second))
	require.Equal(t, uint64(1), b.foreign)
	require.Equal(t, many, b.lastEvents.events()[0].Sockets)
}

// TestWhoListenedBeforeTheWatchIsNamed has a stranger listen before nginx, and both before the watch.
func TestWhoListenedBeforeTheWatchIsNamed(t *testing.T) {
	stranger := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "127.0.0.1:0", ReusePort: true}}}, nil)
	same := []listeners.Socket{{Address: stranger.Addresses[0].String(), ReusePort: true}}
	own := listeners.Start(t, listeners.Task{Sockets: same}, nil)

	w := started(t, options(own.PID))
	w.wantLook()

	e := foreigner(t, w)
	require.Equal(t, stranger.PID, e.Process.PID)
	require.Equal(t, []Concern{{
		MasterPID: own.PID, MasterAddress: own.Addresses[0], Relation: listener.RelationSameAddress, RelationName: "same_address",
	}}, e.Concerns)
	require.Contains(t, e.Sentence, fmt.Sprintf("listens on %s, since before the watch began, beside nginx (master %d)", e.Address, own.PID))

	for _, other := range w.Snapshot().Events {
		require.NotEqual(t, own.PID, other.Process.PID, "nginx itself is none")
	}
}
