package slabowner

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
)

// copyOfProc has the files of /proc that a session reads, for tests that take them away.
func copyOfProc(t *testing.T) string {
	t.Helper()

	proc := t.TempDir()

	for _, name := range []string{"slabinfo", "meminfo"} {
		text, err := os.ReadFile(filepath.Join("/proc", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(proc, name), text, 0o600))
	}

	return proc
}

func TestBeforeTheFirstSessionThereIsNoResult(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	m := NewMonitor(Options{})
	require.Equal(t, Options{OneIn: 100, MaxCostPct: 20}, m.options)
	require.False(t, m.Running())
	require.Equal(t, &Report{
		Schema: 1, State: StateNever, StateName: "never", Owners: []Owner{},
		Sentence: "no session was made yet: one starts when SUnreclaim grows fast, or by hand",
	}, m.Last(10))
}

func TestWhoComesWhileASessionRunsGetsItsResult(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	m := NewMonitor(Options{ProcPath: "/proc", SysPath: "/sys"})
	first := make(chan *Report)

	one, own := m.begin(t.Context(), MinDuration)
	require.True(t, own)

	go func() {
		r, err := m.Session(t.Context(), MaxDuration)
		if err != nil {
			r = &Report{Sentence: err.Error()}
		}
		first <- r
	}()

	impatient, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()

	_, err := m.Session(impatient, MinDuration)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "cannot wait for the session that runs: ")

	running := m.Last(10)
	require.Equal(t, []any{StateRunning, "running", uint64(1)}, []any{running.State, running.StateName, running.Sessions})
	require.Regexp(t, `^a session runs since \d s$`, running.Sentence)

	<-one.done

	r := <-first
	require.Equal(t, []any{StateDone, "", uint64(1)}, []any{r.State, r.Sentence, r.Sessions})
	require.InDelta(t, MinDuration.Seconds(), r.DurationS, 3)
	require.Positive(t, r.Events)
	require.Positive(t, r.CostPct)
	require.InDelta(t, 100, r.OneIn, 0.01)

	last := m.Last(MaxOwners)
	require.Positive(t, last.AgeS)

	last.AgeS = 0
	require.Equal(t, r, last)
}

func TestTheLastResultStaysWhileAnotherSessionRunsAndWhenItFails(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	proc := copyOfProc(t)
	m := NewMonitor(Options{ProcPath: proc, SysPath: "/sys"})

	one, own := m.begin(t.Context(), 100*time.Millisecond)
	require.True(t, own)
	<-one.done
	require.NoError(t, one.err)

	m.last.Owners = []Owner{{Rank: 1}}
	one, _ = m.begin(t.Context(), time.Second)
	require.Equal(t, []any{StateRunning, []Owner{{Rank: 1}}, one.number}, []any{m.Last(1).State, m.Last(1).Owners, uint64(2)})
	<-one.done
	require.NoError(t, one.err)

	require.NoError(t, os.Remove(filepath.Join(proc, "slabinfo")))

	m.last.Owners = []Owner{{Rank: 1}}
	one, _ = m.begin(t.Context(), time.Second)
	<-one.done
	require.ErrorIs(t, one.err, fs.ErrNotExist)

	failed := m.Last(1)
	require.Equal(t, []Owner{{Rank: 1}}, failed.Owners)
	require.Equal(t, one.err.Error(), failed.Sentence)
}

func TestASessionEndsWithItsContextWithWhatItFound(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	m := NewMonitor(Options{ProcPath: "/proc", SysPath: "/sys"})
	ctx, stop := context.WithTimeout(t.Context(), time.Second)

	defer stop()

	r, err := m.Session(ctx, MaxDuration)
	require.NoError(t, err)
	require.Equal(t, []any{StateCutShort, "the session was told to end early"}, []any{r.State, r.Sentence})
	require.Less(t, r.DurationS, 10.0)
	require.Positive(t, r.Events)
}

func TestADurationOutOfBoundsIsRefused(t *testing.T) {
	t.Parallel()

	m := NewMonitor(Options{})

	for _, duration := range []time.Duration{0, MinDuration - 1, MaxDuration + 1} {
		_, err := m.Session(t.Context(), duration)
		require.EqualError(t, err, "cannot follow allocations for "+duration.String()+": allowed is a time from 5s to 2m0s")
	}

	require.Zero(t, m.Last(1).Sessions)
}

// What has a user namespace of its own is no root for the kernel's programs, whatever it may do else.
func TestAProcessWithoutTheRightSaysWhatItNeeds(t *testing.T) {
	t.Parallel()

	if !alone(t, apart.Place{Network: true}) {
		return
	}

	m := NewMonitor(Options{ProcPath: copyOfProc(t), SysPath: "/sys"})
	before := m.Last(1)
	_, err := m.Session(t.Context(), MinDuration)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "cannot watch allocations in the kernel: operation not permitted in spite of CAP_BPF and CAP_PERFMON; "+
		"look for a seccomp filter, lockdown=confidentiality or a security module")

	require.Equal(t, []any{StateFailed, err.Error(), uint64(0)}, []any{before.State, before.Sentence, before.Sessions})

	r := m.Last(1)
	require.Equal(t, []any{StateFailed, err.Error(), uint64(1)}, []any{r.State, r.Sentence, r.Sessions})
}

func TestAKernelWithoutBPFIsUnsupported(t *testing.T) {
	t.Parallel()

	if !alone(t, apart.Place{}) {
		return
	}

	require.NoError(t, apart.RefuseCall(unix.SYS_BPF, unix.ENOSYS))

	m := NewMonitor(Options{ProcPath: "/proc", SysPath: "/sys"})
	require.Equal(t, StateUnsupported, m.Last(1).State, "it is known before a session is needed")

	_, err := m.Session(t.Context(), MinDuration)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "; use Linux 6.1 or newer, with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS")
	require.Equal(t, StateUnsupported, m.Last(1).State)
}

func TestNothingIsInTheKernelWhereNoSessionRuns(t *testing.T) {
	t.Parallel()

	if !alone(t, apart.Place{}) {
		return
	}

	m := NewMonitor(hostOptions())
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())

	ctx, end := context.WithCancel(t.Context())
	one, _ := m.begin(ctx, MaxDuration)
	require.Eventually(t, func() bool { return len(inkernel.HeldByT(t, os.Getpid()).Links) >= len(tracepoints) }, 10*time.Second, 10*time.Millisecond)
	end()
	<-one.done
	require.Equal(t, StateCutShort, m.Last(0).State)
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())
}
