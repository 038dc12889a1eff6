package watches

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
)

func newWatches(t *testing.T, listeners bool) *Watches {
	t.Helper()

	w := New(Options{
		ProcPath: "/proc", SysPath: "/sys", KmsgPath: "/dev/kmsg", Listeners: listeners, Kills: true, SessionTime: slabowner.MinDuration, SessionEvery: time.Hour,
		Masters: func(context.Context) ([]listener.Master, error) { return nil, nil },
	})
	t.Cleanup(func() { require.NoError(t, w.Close()) })

	return w
}

func TestTheWatchBeginsWithTheFirstQuestionAndKeepsTheProcessBusy(t *testing.T) {
	t.Parallel()

	w := newWatches(t, true)
	require.False(t, w.Busy())

	first, err := w.Listeners()
	require.NoError(t, err)
	require.NotEqual(t, watch.StateOff, first.TCP.State)
	require.True(t, w.Busy())

	opened, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, opened.Close())

	if os.Getuid() == 0 {
		// It is this process's own, and so only counted.
		require.Eventually(t, func() bool {
			now, err := w.Listeners()

			return err == nil && now.Ours > first.Ours && now.StartedAt == first.StartedAt
		}, 10*time.Second, 10*time.Millisecond)
	}
}

func TestAWatchEndsWhenNobodyAsksAndBeginsAnewWhenSomebodyDoes(t *testing.T) {
	t.Parallel()

	w := New(Options{
		ProcPath: "/proc", SysPath: "/sys", Listeners: true, lingering: 2 * time.Second,
		Masters: func(context.Context) ([]listener.Master, error) { return nil, nil },
	})
	t.Cleanup(func() { require.NoError(t, w.Close()) })

	first, err := w.Listeners()
	require.NoError(t, err)

	for range 5 {
		time.Sleep(500 * time.Millisecond)

		again, err := w.Listeners()
		require.NoError(t, err)
		require.Equal(t, first.StartedAt, again.StartedAt, "it goes on while somebody asks")
	}

	require.Eventually(t, func() bool { return !w.Busy() }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, watch.StateOff, w.listeners.Snapshot().TCP.State)

	anew, err := w.Listeners()
	require.NoError(t, err)
	require.Greater(t, anew.StartedAt, first.StartedAt)
	require.True(t, w.Busy())
}

// TestATimerThatWasLateEndsNoWatch is of a question that came while the timer of the one before waited for its turn.
func TestATimerThatWasLateEndsNoWatch(t *testing.T) {
	t.Parallel()

	w := newWatches(t, true)

	for range 2 {
		_, err := w.Listeners()
		require.NoError(t, err)
	}

	w.unwatch(1)
	require.True(t, w.Busy())
	require.NotEqual(t, watch.StateOff, w.listeners.Snapshot().TCP.State)

	w.unwatch(2)
	require.False(t, w.Busy())
	require.Equal(t, watch.StateOff, w.listeners.Snapshot().TCP.State)

	_, err := w.Listeners()
	require.NoError(t, err)
	w.unwatch(2)
	require.True(t, w.Busy(), "the next watch is not the timer's")
}

func TestAWatchThatIsNotWantedIsOff(t *testing.T) {
	t.Parallel()

	w := newWatches(t, false)
	events, err := w.Listeners()
	require.NoError(t, err)
	require.Equal(t, watch.StateOff, events.TCP.State)
	require.False(t, w.Busy())
}

func TestTheOOMKillerIsWatchedFromTheFirstQuestionOnWithoutKeepingTheProcessUp(t *testing.T) {
	w := newWatches(t, false)
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())

	for range 2 {
		r, err := w.Kills()
		require.NoError(t, err)
		require.Equal(t, oom.SourceTracepoint, r.Sources[0].Source)

		if os.Getuid() != 0 {
			require.Contains(t, r.Sources[0].Error, "use the root helper")

			return
		}

		require.True(t, r.Sources[0].Used, r.Sources[0].Error)
		require.Len(t, inkernel.HeldByT(t, os.Getpid()).Links, 1)
	}

	require.False(t, w.Busy())

	held := inkernel.HeldByT(t, os.Getpid())
	require.NoError(t, w.Close())
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())
	inkernel.RequireGoneT(t, held)
}

func TestASessionThatStartsByItselfIsRare(t *testing.T) {
	t.Parallel()

	w := newWatches(t, false)
	require.Zero(t, w.Owners(1).Sessions)
	require.Equal(t, Begun{Schema: 1, Started: true}, w.Begin())

	again := w.Begin()
	require.False(t, again.Started)
	require.Regexp(t, `^the last session began \d+s ago; the next may begin 1h0m0s after it$`, again.Sentence)

	if os.Getuid() == 0 {
		require.Eventually(t, w.Busy, 5*time.Second, time.Millisecond, "while it runs")
	}
}

func TestATimeThatIsTooShortIsRefused(t *testing.T) {
	t.Parallel()

	_, err := newWatches(t, false).Session(t.Context(), time.Second)
	require.ErrorContains(t, err, "allowed is a time from 5s to 2m0s")
}
