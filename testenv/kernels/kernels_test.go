package kernels

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnArchiveIsWhatTheKernelUnpacks(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "b"), []byte("xyz"), 0o600))
	require.NoError(t, os.Symlink("b", filepath.Join(dir, "sub", "link")))

	path := filepath.Join(t.TempDir(), "archive")
	require.NoError(t, writeArchive(path, func(a *archive) {
		a.tree("a", dir)
		a.text("c", "hello")
	}))

	content, err := os.ReadFile(path)
	require.NoError(t, err)

	// Names and contents end at multiples of 4.
	user := fmt.Sprintf("%08x%08x", os.Geteuid(), os.Getegid())
	root := "0000000000000000"
	entry := func(number, mode, owner, size, nameSize string) string {
		zero := "00000000"

		return "070701" + number + mode + owner + "00000001" + zero + size + zero + zero + zero + zero + nameSize + zero
	}
	want := entry("00000001", "000041ed", user, "00000000", "00000002") + "a\x00" +
		entry("00000002", "000041ed", user, "00000000", "00000006") + "a/sub\x00" +
		entry("00000003", "00008180", user, "00000003", "00000008") + "a/sub/b\x00" + "\x00\x00" + "xyz\x00" +
		entry("00000004", "0000a1ff", user, "00000001", "0000000b") + "a/sub/link\x00" + "\x00\x00\x00" + "b\x00\x00\x00" +
		entry("00000005", "000081a4", root, "00000005", "00000002") + "c\x00" + "hello\x00\x00\x00" +
		entry("00000006", "00000000", root, "00000000", "0000000b") + "TRAILER!!!\x00" + "\x00\x00\x00"
	require.Equal(t, strings.ReplaceAll(want, "\x00", "."), strings.ReplaceAll(string(content), "\x00", "."))

	require.ErrorContains(t, writeArchive(path, func(a *archive) { a.program("c", filepath.Join(dir, "none")) }), "cannot make a file system for a kernel: ")
	require.ErrorContains(t, writeArchive(path, func(a *archive) { a.tree("c", filepath.Join(dir, "none")) }), "cannot make a file system for a kernel: ")
}

func TestAKernelThatDebianDoesNotHaveIsRefused(t *testing.T) {
	t.Parallel()

	_, err := run(t.TempDir(), "4.18", ".", t.Name(), time.Second)
	require.EqualError(t, err, "cannot run Linux 4.18: Debian's are [6.1 6.12]")
}

func TestABinaryThatNeedsLibrariesIsRefused(t *testing.T) {
	t.Parallel()

	require.ErrorContains(t, requireStatic("/bin/sh"), "its binary needs libraries; set CGO_ENABLED=0")
	require.ErrorContains(t, requireStatic(filepath.Join(t.TempDir(), "none")), "cannot read the test's own binary: ")
}
