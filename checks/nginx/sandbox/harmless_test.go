package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// both runs a test with each technique.
func both(t *testing.T, test func(*testing.T, Technique)) {
	for _, technique := range []Technique{TechniqueNotify, TechniqueTrace} {
		t.Run(technique.String(), func(t *testing.T) { test(t, technique) })
	}
}

// mischievous prepares the directory of the fake mischief, and who listens to it.
func mischievous(t *testing.T) (p *prefix, log *net.UnixConn) {
	t.Helper()
	p = newPrefix(t)
	for _, name := range []string{"kept", "kept2", "kept3", "kept4"} {
		p.write(t, name, "kept")
	}
	require.NoError(t, os.Mkdir(p.path("directory"), 0o755))
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: p.path("log")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	taken, err := net.Listen("unix", "@sandbox-test-taken")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	return p, log
}

// refusedAnyway are what a sandbox refuses that its own process may do.
var refusedAnyway = []string{"kill of -1 with signal 18", "ptrace", "chroot", "prlimit64", "setxattr", "ioctl", "shmget"}

func TestWhatAModuleMayTryHasNoEffect(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, unix.SIGUSR1)
		defer signal.Stop(signals)
		result := requireHarmless(t, only(technique).Test)
		require.Subset(t, result.Refusals, append([]string{"kill of " + strconv.Itoa(os.Getpid()) + " with signal 10", "mount", "unshare"}, refusedAnyway...))
		require.Empty(t, signals)
	})
}

// The helper would end by the signal that its test sends, and tell no result.
func TestWhatAModuleMayTryInATestOfTheHelperHasNoEffect(t *testing.T) {
	if os.Geteuid() != 0 {
		_, err := asHelper(TechniqueNotify)(t.Context(), Command{})
		require.ErrorContains(t, err, "run the test as root")
		return
	}
	both(t, func(t *testing.T, technique Technique) {
		require.Subset(t, requireHarmless(t, asHelper(technique)).Refusals, refusedAnyway)
	})
}

// requireHarmless has a test try all deeds, and requires that none had an effect.
func requireHarmless(t *testing.T, test func(context.Context, Command) (*Result, error)) *Result {
	t.Helper()
	p, log := mischievous(t)
	before := p.tree(t)
	var null, nullAfter unix.Stat_t
	require.NoError(t, unix.Stat("/dev/null", &null))
	result, err := test(context.Background(), fakeCommand("mischief", "-p", p.dir))
	require.NoError(t, err)
	require.Equal(t, before, p.tree(t))
	require.NoError(t, unix.Stat("/dev/null", &nullAfter))
	require.Equal(t, null.Mode, nullAfter.Mode)
	require.Equal(t, null.Uid, nullAfter.Uid)

	var told strings.Builder
	for _, d := range deeds() {
		fmt.Fprintf(&told, "%s: %v\n", d.name, d.told)
	}
	require.Equal(t, told.String(), string(result.Output))
	require.Zero(t, result.ExitCode)
	require.False(t, result.Survivors)
	require.NoError(t, log.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err = log.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "syslog was told something")
	return result
}

func TestWhatATestLeavesBehindIsEnded(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		result, err := only(technique).Test(context.Background(), fakeCommand("daemon"))
		require.NoError(t, err)
		requireGone(t, result.Output)
		require.Zero(t, result.ExitCode)
		require.False(t, result.TimedOut)
		require.False(t, result.Survivors)
	})
}

func TestATestThatHangsIsEndedWithAllThatItStarted(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		command := fakeCommand("hang")
		command.Timeout = 4 * time.Second // a busy machine takes a second to start what hangs
		result, err := only(technique).Test(context.Background(), command)
		require.NoError(t, err)
		requireGone(t, result.Output)
		require.Equal(t, -1, result.ExitCode)
		require.Equal(t, "SIGKILL", result.Signal)
		require.True(t, result.TimedOut)
		require.False(t, result.Survivors)
	})
}

// requireGone requires that none of the three processes whose numbers a fake told lives.
func requireGone(t *testing.T, output []byte) {
	t.Helper()
	require.Contains(t, string(output), "ready")
	pids := startedPIDs(string(output))
	require.Len(t, pids, 3)
	for _, pid := range pids {
		// A killed process takes a moment to be gone.
		require.Eventually(t, func() bool { return gone(pid) }, waitLimit, waitPause, "%d lives", pid)
	}
}

func startedPIDs(output string) (pids []int) {
	for line := range strings.Lines(output) {
		if number, ok := strings.CutPrefix(line, "started "); ok {
			if pid, err := strconv.Atoi(strings.TrimSpace(number)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// gone tells whether a process has ended; whoever adopted it may not have waited for it yet.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestATestIsEndedWhenNobodyWaitsForItAnyMore(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := only(technique).Test(ctx, fakeCommand("forever"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(began), killLimit/2)
	})
}

func TestTestsOfOneProcessRunOneAfterTheOther(t *testing.T) {
	const count, each = 3, 100 * time.Millisecond
	ended := make(chan error, count)
	began := time.Now()
	for range count {
		go func() {
			_, err := New().Test(context.Background(), fakeCommand("sleep"))
			ended <- err
		}()
	}
	for range count {
		require.NoError(t, <-ended)
	}
	require.GreaterOrEqual(t, time.Since(began), count*each)

	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error)
	go func() {
		_, err := New().Test(ctx, fakeCommand("forever"))
		first <- err
	}()
	require.Eventually(t, func() bool { return len(turn) == 1 }, 5*time.Second, time.Millisecond)
	impatient, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	_, err := New().Test(impatient, fakeCommand("sleep"))
	require.EqualError(t, err, "cannot test the configuration: another test runs: context deadline exceeded")
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
}

func TestWhatATestGets(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		command := fakeCommand("surround", "-g", "daemon off;")
		command.MaxMemoryBytes = 8 << 30
		command.Environment = append(command.Environment, "NGINX=5;6;", "LISTEN_FDS=1", "KEPT=1")
		t.Setenv("LD_PRELOAD_OF_THE_CALLER", "1")
		result, err := only(technique).Test(context.Background(), command)
		require.NoError(t, err)
		require.Equal(t, strings.Join([]string{
			"[" + safePath + " " + fakeVariable + "=surround KEPT=1] [-g daemon off; -t]",
			"/ <nil>", "true <nil>", "0 EOF", "<nil> 0", "<nil> 8589934592", "[0 1 2] <nil>", "",
		}, "\n"), string(result.Output))
	})
}

func TestOfALongOutputTheHeadAndTheTailAreKept(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		result, err := only(technique).Test(context.Background(), fakeCommand("chatter"))
		require.NoError(t, err)
		require.Len(t, result.Output, headLimit+tailLimit)
		require.True(t, strings.HasPrefix(string(result.Output), "first\n"))
		require.True(t, strings.HasSuffix(string(result.Output), "x\nlast\n"))
		require.EqualValues(t, 1<<20+len("first\nlast\n")-headLimit-tailLimit, result.OutputOmittedBytes)
	})
}
