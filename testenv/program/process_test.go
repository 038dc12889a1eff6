package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func run(t *testing.T, script string) (p *Process, dir string) {
	t.Helper()
	dir = t.TempDir()
	command := exec.Command("/bin/sh", "-c", script)
	command.Dir = dir
	p, err := Run(command, filepath.Join(dir, "console"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p, dir
}

// childOf waits for the file ready of a script and returns the process id in it.
func childOf(t *testing.T, p *Process, dir string) int {
	t.Helper()
	ready := filepath.Join(dir, "ready")
	require.NoError(t, p.Await(5*time.Second, func() bool { return exists(ready) }))
	text, err := os.ReadFile(ready)
	require.NoError(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	return child
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestAServerIsAwaitedAndStoppedWithItsChildren(t *testing.T) {
	p, dir := run(t, "sleep 600 & echo $! >child; mv child ready; wait")
	child := childOf(t, p, dir)
	require.NoError(t, syscall.Kill(child, 0))

	require.NoError(t, p.Stop())
	<-p.Exited()
	require.Eventually(t, func() bool { return gone(child) }, 2*time.Second, time.Millisecond)
	require.NoError(t, p.Stop())
}

// gone tells whether a process has ended; whoever adopted it may not have waited for it yet.
func gone(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAServerThatEndsOrIsLateIsToldInItsWords(t *testing.T) {
	never := func() bool { return false }
	p, _ := run(t, "echo no such directive >&2; exit 1")
	require.EqualError(t, p.Await(5*time.Second, never), "cannot start sh: it ended; mend what it says: no such directive")

	p, dir := run(t, "echo still working; >ready; exec sleep 600")
	require.NoError(t, p.Await(5*time.Second, func() bool { return exists(filepath.Join(dir, "ready")) }))
	require.EqualError(t, p.Await(time.Millisecond, never), "cannot wait for sh any longer: it is not ready after 1ms; mend what it says: still working")
}

func TestAProgramThatIsMissing(t *testing.T) {
	_, err := Run(exec.Command(filepath.Join(t.TempDir(), "none")), filepath.Join(t.TempDir(), "console"))
	require.ErrorContains(t, err, "; remove its directory under build, so that it is fetched again")
}

func TestADirectorysPathLeavesRoomForSockets(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp/"+strings.Repeat("long", 40))
	dir, err := Dir("test")
	require.NoError(t, err)
	require.Less(t, len(dir), longestDir)
	require.NoError(t, os.Remove(dir))
}

func TestAServerIsKilledWithItsChildren(t *testing.T) {
	p, dir := run(t, "trap '' TERM; sleep 600 & echo $! >child; mv child ready; wait")
	child := childOf(t, p, dir)

	p.Kill()
	<-p.Exited()
	require.Eventually(t, func() bool { return gone(child) }, 2*time.Second, time.Millisecond)
	p.Kill()
}

func TestADirectoryOfATestIsOpenToAllAndRemoved(t *testing.T) {
	var dir string
	t.Run("a test", func(t *testing.T) {
		dir = DirT(t, "test")
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	})
	require.NoDirExists(t, dir)
}
