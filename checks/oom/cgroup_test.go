package oom

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// hogVariable makes this test program a process that takes memory until it is killed.
const hogVariable = "OOM_TEST_HOG"

func TestMain(m *testing.M) {
	if os.Getenv(hogVariable) != "" {
		hog()
	}

	os.Exit(m.Run())
}

// hog waits for a byte, so that it can be put in its cgroup first.
func hog() {
	_, _ = os.Stdin.Read(make([]byte, 1))

	var all [][]byte

	for range 4096 {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += os.Getpagesize() {
			block[i] = 1
		}

		all = append(all, block)
	}

	runtime.KeepAlive(all)
	os.Exit(1)
}

// TestKillOfTheRunningKernel lets the kernel kill a process at the limit of a cgroup that holds nothing else. Where no
// such cgroup can be made, the fixtures of the other tests have to do.
func TestKillOfTheRunningKernel(t *testing.T) {
	group, err := limitedGroup(t, 20<<20)
	if err != nil {
		require.True(t, errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EROFS), err)

		return
	}

	tracker := NewTracker("/proc", "/dev/kmsg")
	defer tracker.Close()

	before, err := tracker.Get()
	require.NoError(t, err)

	state := runHog(t, group)
	status, _ := state.Sys().(interface{ Signaled() bool })
	require.True(t, status.Signaled(), state.String())

	after, err := tracker.Get()
	require.NoError(t, err)
	require.Greater(t, *after.Kills, *before.Kills)

	if !before.VictimsKnown {
		require.NotEmpty(t, after.VictimsError)

		return
	}

	v := after.LastVictim
	require.NotNil(t, v)
	require.Equal(t, ConstraintCgroup, v.Constraint)

	// After ten kills in five seconds the kernel leaves out the lines that tell the cgroup and the trigger.
	if v.Trigger != "" {
		require.Equal(t, filepath.Base(group), filepath.Base(v.Cgroup))
	}

	require.Equal(t, v.Cgroup, v.OOMCgroup)
	require.InDelta(t, float64(time.Now().Unix()), v.At, 30)
	require.Equal(t, new(0), v.UID)
	require.Greater(t, *v.AnonRSSBytes, uint64(8<<20))
	require.Less(t, *v.RSSBytes, uint64(64<<20))
	require.Contains(t, os.Args[0], v.Name)
}

// limitedGroup makes a memory cgroup, of either version.
func limitedGroup(t *testing.T, limit int) (string, error) {
	t.Helper()

	var problem error

	for _, c := range []struct{ parent, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		if _, err := os.Stat(c.parent); err != nil {
			problem = err

			continue
		}

		group := filepath.Join(c.parent, "oom-test-"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(group, 0o700); err != nil {
			return "", err
		}

		t.Cleanup(func() {
			// The kernel lets go of the last process only a moment after its parent has seen it die.
			require.Eventually(t, func() bool { return os.Remove(group) == nil }, 10*time.Second, 10*time.Millisecond)
		})

		file, err := os.OpenFile(filepath.Join(group, c.limit), os.O_WRONLY, 0)
		if err != nil {
			problem = err

			continue
		}

		_, err = file.WriteString(strconv.Itoa(limit))

		return group, errors.Join(err, file.Close())
	}

	return "", problem
}

// runHog starts the hog in the group and waits for its end.
func runHog(t *testing.T, group string) *os.ProcessState {
	t.Helper()

	stdin, release, err := os.Pipe()
	require.NoError(t, err)

	program, err := os.Executable()
	require.NoError(t, err)

	process, err := os.StartProcess(program, []string{filepath.Base(program)}, &os.ProcAttr{
		Env:   []string{hogVariable + "=1"},
		Files: []*os.File{stdin},
	})
	require.NoError(t, err)
	require.NoError(t, stdin.Close())

	err = os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(process.Pid)), 0)
	if err != nil {
		_ = process.Kill()
	}

	require.NoError(t, err)
	require.NoError(t, release.Close())

	state, err := process.Wait()
	require.NoError(t, err)

	return state
}

// withoutCapabilities runs f as an ordinary user would. Only this thread loses its rights, and it ends with f.
func withoutCapabilities(t *testing.T, f func()) {
	t.Helper()

	var problem error

	done := make(chan struct{})

	go func() {
		defer close(done)

		// Never unlocked: the runtime ends the thread with the goroutine.
		runtime.LockOSThread()

		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		none := [2]unix.CapUserData{}

		if problem = unix.Capset(&head, &none[0]); problem == nil {
			f()
		}
	}()

	<-done
	require.NoError(t, problem)
}
