package tree_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/checks/thread"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// elsewhere is a thread, which /proc knows as it knows processes, with another file system on a directory.
type elsewhere struct {
	dir string
	pid int
	end func()
}

func startElsewhere(t *testing.T) *elsewhere {
	t.Helper()

	e := &elsewhere{dir: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(e.dir, "hidden"), []byte("below"), 0o644))

	started, release, ended := make(chan error), make(chan struct{}), make(chan struct{})
	e.end = func() {
		close(release)
		<-ended
		require.Eventually(t, func() bool { return unix.Access(fmt.Sprintf("/proc/%d", e.pid), unix.F_OK) != nil }, 10*time.Second, time.Millisecond)
	}

	thread.Start(func() {
		defer close(ended)

		e.pid = unix.Gettid()
		started <- e.mount()
		<-release
	})
	require.NoError(t, <-started)

	return e
}

func (e *elsewhere) mount() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}

	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}

	if err := unix.Mount("none", e.dir, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}

	for link, target := range map[string]string{
		"absolute": filepath.Join(e.dir, "file"), "upwards": "../../../../../../../../.." + filepath.Join(e.dir, "file"),
	} {
		if err := os.Symlink(target, filepath.Join(e.dir, link)); err != nil {
			return err
		}
	}

	return os.WriteFile(filepath.Join(e.dir, "file"), []byte("above"), 0o644)
}

func TestATreeIsSeenAsItsProcessSeesIt(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		looked := false
		err := tree.Tree{Proc: "/proc", PID: 1}.Do(func() { looked = true })
		require.ErrorContains(t, err, "run as root with CAP_SYS_CHROOT and CAP_SYS_PTRACE")
		require.False(t, looked)

		return
	}

	e := startElsewhere(t)
	defer e.end()

	theirs := tree.Of("/proc", e.pid)
	require.Equal(t, tree.Tree{Proc: "/proc", PID: e.pid}, theirs)

	for range 20 {
		require.NoError(t, theirs.Do(func() {
			for _, name := range []string{"file", "absolute", "upwards"} {
				text, err := os.ReadFile(filepath.Join(e.dir, name))
				require.NoError(t, err, name)
				require.Equal(t, "above", string(text))
			}

			require.NoFileExists(t, filepath.Join(e.dir, "hidden"))
		}))
		require.FileExists(t, filepath.Join(e.dir, "hidden"), "other threads see their own")
	}
}

func TestOnesOwnTreeNeedsNoRights(t *testing.T) {
	t.Parallel()

	require.Equal(t, tree.Tree{}, tree.Of("/proc", os.Getpid()))

	apart.AsNobody(t, func() {
		looked := false
		require.NoError(t, tree.Tree{}.Do(func() { looked = true }))
		require.True(t, looked)
	})
}

// Without its mounts a tree has what lies below them: in the place of a private /tmp that of all users.
func TestAViewOutlivesItsProcess(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		_, err := tree.Tree{Proc: "/proc", PID: 1}.Open()
		require.ErrorContains(t, err, "cannot look at the files of process 1: ")

		return
	}

	e := startElsewhere(t)
	theirs := tree.Of("/proc", e.pid)
	view, err := theirs.Open()
	require.NoError(t, err)

	defer view.Close()

	e.end()
	require.NoError(t, view.Do(func() {
		require.FileExists(t, filepath.Join(e.dir, "file"))
		require.NoFileExists(t, filepath.Join(e.dir, "hidden"))
	}))

	_, err = theirs.Open()
	require.ErrorIs(t, err, tree.ErrEnded)
	require.EqualError(t, err, fmt.Sprintf("cannot look at the files of process %d: it has ended; "+
		"run as root with CAP_SYS_CHROOT and CAP_SYS_PTRACE, and while it runs", e.pid))
}

func TestAProcessThatTookANumberOverIsNotTakenForTheOther(t *testing.T) {
	t.Parallel()

	stat, err := os.ReadFile("/proc/self/stat")
	require.NoError(t, err)

	ticks, ok := procfile.StartTicks(stat)
	require.True(t, ok)

	process, err := tree.OpenProcess("/proc", os.Getpid(), ticks)
	require.NoError(t, err)
	require.NoError(t, unix.Close(process))

	_, err = tree.OpenProcess("/proc", os.Getpid(), ticks+1)
	require.EqualError(t, err, "it has ended, and another has its number")
}

// The root helper may not enter mount namespaces.
func TestTheHelperSeesTheHostsTree(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		require.Error(t, apart.AsHelper(func() error { return nil }))

		return
	}

	const variable = "TREE_TEST_FILE"

	if !apart.Here() {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, []byte("the host's"), 0o600))
		apart.Run(t, apart.Place{Helper: true, Env: []string{variable + "=" + file}})

		return
	}

	file := os.Getenv(variable)
	require.NoFileExists(t, file, "the helper has its own /tmp")
	require.NoError(t, tree.Of("/proc", os.Getppid()).Do(func() {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "the host's", string(text))
	}))
}

// BenchmarkDo is what it costs to look into another tree, once.
func BenchmarkDo(b *testing.B) {
	var theirs tree.Tree
	if os.Geteuid() == 0 {
		// The own root directory, opened as another process's.
		theirs = tree.Tree{Proc: "/proc", PID: os.Getpid()}
	}

	for b.Loop() {
		require.NoError(b, theirs.Do(func() {}))
	}
}
