package builddir

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRootIsTheDirectoryOfGoModAndPathLiesUnderItsBuild(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "testenv", "builddir", "builddir.go"))

	path, err := Path("agents", "6.0")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "build", "agents", "6.0"), path)
}

func TestRootOutsideTheRepositorySaysSo(t *testing.T) {
	t.Chdir("/")
	_, err := Path("x")
	require.EqualError(t, err, "cannot find the repository: no go.mod in / or above; run this inside the repository")
}

func TestOnceFillsOnceHoweverManyAskAtTheSameTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "thing")
	var fills atomic.Int32
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		group.Go(func() {
			errs[i] = Once(dir, "v1", func(empty string) error {
				fills.Add(1)
				return os.WriteFile(filepath.Join(empty, "content"), []byte("1"), 0o644)
			})
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	require.EqualValues(t, 1, fills.Load())
	require.FileExists(t, filepath.Join(dir, "content"))
	require.True(t, Complete(dir, "v1"))
	require.False(t, Complete(dir, "v2"))
}

func TestOnceForAnotherVersionReplacesAllOfTheOldContent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "thing")
	write := func(name string) func(string) error {
		return func(empty string) error { return os.WriteFile(filepath.Join(empty, name), nil, 0o644) }
	}
	require.NoError(t, Once(dir, "v1", write("old")))
	require.NoError(t, Once(dir, "v2", write("new")))
	require.NoFileExists(t, filepath.Join(dir, "old"))
	require.FileExists(t, filepath.Join(dir, "new"))
}

func TestOnceThatFailsLeavesWhatWasThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "thing")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "by-hand"), nil, 0o644))
	broken := errors.New("cannot fill: no network; connect")
	require.ErrorIs(t, Once(dir, "v1", func(string) error { return broken }), broken)
	require.FileExists(t, filepath.Join(dir, "by-hand"))
	require.NoDirExists(t, dir+".new")
}

func TestAFinishedDirectoryNeedsNoWritePermission(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "thing")
	require.NoError(t, Once(dir, "v1", func(string) error { return nil }))
	require.NoError(t, os.Remove(dir+".lock"))
	require.NoError(t, os.Chmod(parent, 0o555))
	t.Cleanup(func() { require.NoError(t, os.Chmod(parent, 0o755)) })
	require.NoError(t, Once(dir, "v1", func(string) error { return errors.New("filled again") }))
	require.NoFileExists(t, dir+".lock")
}
