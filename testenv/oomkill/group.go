package oomkill

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

// Group is a memory cgroup with a limit, of either version.
type Group struct {
	cgroup.Mount
	// Dir is its directory, and Path the part of it below the mount.
	Dir, Path string
}

var groups atomic.Int32

// NewGroup makes a group whose processes may have limit bytes together, below others that it makes as well, such as "a.slice". It is removed at the
// end of the test, which may make one only. Made is false where no such group can be made by this user or on this host.
func NewGroup(tb testing.TB, limit int, below ...string) (g *Group, made bool) {
	tb.Helper()

	mount, err := cgroup.FindMemory("/sys", "memory.oom_control")
	if err != nil {
		require.ErrorIs(tb, err, fs.ErrNotExist)

		return nil, false
	}

	limits := "memory.max"
	if mount.Version == 1 {
		limits = "memory.limit_in_bytes"
	}

	g = &Group{Mount: mount, Path: "/"}

	for _, name := range append(below, "oom-test-"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(int(groups.Add(1)))+".service") {
		parent := filepath.Join(mount.Dir, g.Path)
		g.Path = filepath.Join(g.Path, name)
		g.Dir = filepath.Join(mount.Dir, g.Path)

		if err := g.make(tb, parent, limits); err != nil {
			require.True(tb, errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS), err)

			return nil, false
		}
	}

	require.NoError(tb, os.WriteFile(filepath.Join(g.Dir, limits), []byte(strconv.Itoa(limit)), 0))
	alone(tb)

	return g, true
}

// alone waits for the tests of other packages that kill: of too many victims at once the last ones only are kept. It holds until the end of the test.
func alone(tb testing.TB) {
	tb.Helper()

	file, err := os.OpenFile(filepath.Join(os.TempDir(), "hosting-test-oomkill.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, file.Close()) })
	require.NoError(tb, unix.Flock(int(file.Fd()), unix.LOCK_EX))
}

func (g *Group) make(tb testing.TB, parent, limits string) error {
	if err := os.Mkdir(g.Dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}

	dir := g.Dir
	tb.Cleanup(func() {
		// The kernel lets go of the last process only a moment after its parent has seen it die.
		require.Eventually(tb, func() bool {
			err := os.Remove(dir)

			return err == nil || errors.Is(err, fs.ErrNotExist)
		}, 10*time.Second, 10*time.Millisecond)
	})

	if _, err := os.Stat(filepath.Join(dir, limits)); err == nil {
		return nil
	}

	return os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+memory"), 0)
}

// Remove ends the group before the test's end.
func (g *Group) Remove(tb testing.TB) {
	tb.Helper()
	require.Eventually(tb, func() bool { return os.Remove(g.Dir) == nil }, 10*time.Second, 10*time.Millisecond)
}

// ID is the number that the kernel has for the group.
func (g *Group) ID(tb testing.TB) uint64 {
	tb.Helper()

	var stat unix.Stat_t

	require.NoError(tb, unix.Stat(g.Dir, &stat))

	return stat.Ino
}
