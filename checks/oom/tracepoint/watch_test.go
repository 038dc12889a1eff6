package tracepoint

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/oomkill"
)

// watched is a watch with a ring of that size. Of an ordinary user a test can see only that the kernel's refusal is told.
func watched(t *testing.T, size int) (w *Watch, possible bool) {
	t.Helper()

	if os.Geteuid() != 0 {
		_, err := Open()
		require.ErrorIs(t, err, fs.ErrPermission)

		return nil, false
	}

	w = &Watch{}
	require.NoError(t, w.open(size))
	t.Cleanup(func() { _ = w.Close() })

	return w, true
}

// prepared is a watch, and a group whose processes may be killed.
func prepared(t *testing.T, size int) (w *Watch, group *oomkill.Group, possible bool) {
	t.Helper()

	// It waits for the tests of other packages, whose kills the watch would tell of.
	group, made := oomkill.NewGroup(t, limit)
	w, possible = watched(t, size)

	return w, group, possible && made
}

// events reads until those of all these processes have come, and returns them in their order. Others may be killed on this machine, too.
func events(t *testing.T, w *Watch, pids ...int) (all []Event) {
	t.Helper()

	wanted := make(map[int]bool)
	for _, pid := range pids {
		wanted[pid] = true
	}

	w.ring.SetDeadline(time.Now().Add(10 * time.Second))

	for len(all) < len(pids) {
		e, err := w.Read()
		require.NoError(t, err)

		if wanted[e.PID] {
			all = append(all, e)
		}
	}

	return all
}

func now(t *testing.T) time.Duration {
	t.Helper()

	var monotonic unix.Timespec

	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &monotonic))

	return time.Duration(monotonic.Nano())
}

const limit = 20 << 20

func TestAVictimIsNamedWithItsSizesAndCgroup(t *testing.T) {
	w, group, possible := prepared(t, ringSize)
	if !possible {
		return
	}

	before := now(t)
	pid := group.Kill(t, "a ((hog)) \xff")
	e := events(t, w, pid)[0]

	require.Greater(t, e.At, before)
	require.Less(t, e.At, now(t))
	require.Equal(t, "a ((hog)) \xff", e.Name)
	require.Equal(t, group.ID(t), e.CgroupID)
	require.Greater(t, *e.TotalVMBytes, uint64(256<<20))
	// What it had before it was put into the group is charged elsewhere.
	require.Greater(t, *e.AnonBytes, uint64(limit/2))
	require.Less(t, *e.AnonBytes, uint64(128<<20))
	require.Less(t, *e.FileBytes, uint64(64<<20))
	require.Less(t, *e.ShmemBytes, uint64(64<<20))
	require.Greater(t, *e.PageTablesBytes, uint64(16<<10))
	require.Less(t, *e.PageTablesBytes, uint64(2<<20))

	// It took the memory itself; the name is its thread's.
	require.Equal(t, pid, e.TriggerPID)
	require.NotEmpty(t, e.Trigger)

	require.Equal(t, Event{
		At: e.At, PID: pid, Name: e.Name, UID: new(0), CgroupID: e.CgroupID, OOMScoreAdj: new(0), TotalVMBytes: e.TotalVMBytes, AnonBytes: e.AnonBytes,
		FileBytes: e.FileBytes, ShmemBytes: e.ShmemBytes, PageTablesBytes: e.PageTablesBytes, Trigger: e.Trigger, TriggerPID: pid,
	}, e)
}

// TestEveryVictimOfAStormIsNamed has more kills than those of which the kernel log tells all.
func TestEveryVictimOfAStormIsNamed(t *testing.T) {
	w, group, possible := prepared(t, ringSize)
	if !possible {
		return
	}

	const storm = 30

	pids := make([]int, storm)
	for i := range storm {
		pids[i] = group.Kill(t, fmt.Sprintf("hog %d", i))
	}

	for i, e := range events(t, w, pids...) {
		require.Equal(t, pids[i], e.PID)
		require.Equal(t, fmt.Sprintf("hog %d", i), e.Name)
		require.Equal(t, group.ID(t), e.CgroupID)
	}

	lost, err := w.Lost()
	require.NoError(t, err)
	require.Zero(t, lost)
}

func TestWhatFindsNoRoomIsCounted(t *testing.T) {
	w, group, possible := prepared(t, os.Getpagesize())
	if !possible {
		return
	}

	room, before := os.Getpagesize()/(recordSize+8), kills(t)
	for range room + 5 {
		group.Kill(t, "hog")
	}

	lost, err := w.Lost()
	require.NoError(t, err)
	require.Equal(t, kills(t)-before, room+int(lost))

	w.ring.SetDeadline(time.Now().Add(time.Second))

	read := 0
	for ; ; read++ {
		if _, err := w.Read(); err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)

			break
		}
	}

	require.Equal(t, room, read)
}

// kills is the kernel's own count.
func kills(t *testing.T) (count int) {
	t.Helper()

	text, err := os.ReadFile("/proc/vmstat")
	require.NoError(t, err)

	_, rest, found := strings.Cut(string(text), "\noom_kill ")
	require.True(t, found)

	_, err = fmt.Sscan(rest, &count)
	require.NoError(t, err)

	return count
}

func TestCloseEndsAReading(t *testing.T) {
	w, possible := watched(t, ringSize)
	if !possible {
		return
	}

	ended := make(chan error)

	go func() {
		for {
			if _, err := w.Read(); err != nil {
				ended <- err

				return
			}
		}
	}()

	require.NoError(t, w.Close())
	require.ErrorIs(t, <-ended, os.ErrClosed)
}
