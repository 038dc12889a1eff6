package watch

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/kernels"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func TestMain(m *testing.M) {
	listeners.Run()

	if kernels.Emulated() {
		patience = time.Minute
	}

	if os.Getenv(printVariable) != "" {
		printEvents()
	}

	listeners.Alone()
	os.Exit(m.Run())
}

// patience is for what happens at once, on a machine that does other things as well, or is emulated.
var patience = 30 * time.Second

// inItsOwn starts a process in a network namespace of its own.
func inItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET} }

// mastersAre says that these processes are masters of nginx.
func mastersAre(pids ...int) func(context.Context) ([]listener.Master, error) {
	return func(context.Context) ([]listener.Master, error) {
		var all []listener.Master
		for _, pid := range pids {
			all = append(all, listener.Master{PID: pid})
		}

		return all, nil
	}
}

// options list what the test's own children open.
func options(masters ...int) Options {
	return Options{ProcPath: "/proc", SysPath: "/sys", Masters: mastersAre(masters...), ListOwn: true, Interval: 100 * time.Millisecond}
}

// started is a watch that is closed at the test's end. Who may not watch in the kernel polls.
func started(t testing.TB, o Options) *Watcher {
	t.Helper()

	w := New(o)
	require.NoError(t, w.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, w.Close()) })

	if os.Geteuid() == 0 && !o.PollOnly {
		require.Equal(t, coverage(StateWatching, "", 0), w.Snapshot().TCP)
		require.Equal(t, coverage(StateWatching, "", 0), w.Snapshot().UDP)
	}

	return w
}

// mayWatch says whether this user may watch in the kernel. What others may see is in the tests of polling.
func mayWatch() bool { return os.Geteuid() == 0 }

// eventsOf are the events of a process, oldest first, as soon as there are so many that have ended.
func eventsOf(t testing.TB, w *Watcher, pid, ended int) (events []Event) {
	t.Helper()

	require.Eventually(t, func() bool {
		events = nil
		over := 0

		for _, e := range w.Snapshot().Events {
			if e.Process == nil || e.Process.PID != pid {
				continue
			}

			events = append([]Event{e}, events...)

			if !e.Listening {
				over++
			}
		}

		return len(events) > 0 && over >= ended
	}, patience, time.Millisecond)

	return events
}

// foreigner is the only foreigner there is, as soon as there is one.
func foreigner(t testing.TB, w *Watcher) Event {
	t.Helper()

	var got *Events

	require.Eventually(t, func() bool {
		got = w.Snapshot()

		return got.Foreign > 0
	}, patience, time.Millisecond)
	require.Equal(t, uint64(1), got.Foreign)
	require.Len(t, got.Foreigners, 1)

	return got.Foreigners[0]
}

func addressOf(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
