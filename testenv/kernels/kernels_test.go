package kernels

import (
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

	a := &archive{}
	a.tree("a", dir)

	content, err := a.bytes()
	require.NoError(t, err)

	// Names and contents end at multiples of 4.
	entry := func(number, mode, size, nameSize string) string {
		zero := "00000000"

		return "070701" + number + mode + zero + zero + "00000001" + zero + size + zero + zero + zero + zero + nameSize + zero
	}
	want := entry("00000001", "000041ed", "00000000", "00000002") + "a\x00" +
		entry("00000002", "000041ed", "00000000", "00000006") + "a/sub\x00" +
		entry("00000003", "000081ed", "00000003", "00000008") + "a/sub/b\x00" + "\x00\x00" + "xyz\x00" +
		entry("00000004", "00000000", "00000000", "0000000b") + "TRAILER!!!\x00" + "\x00\x00\x00"
	require.Equal(t, strings.ReplaceAll(want, "\x00", "."), strings.ReplaceAll(string(content), "\x00", "."))

	a.file("c", filepath.Join(dir, "none"))
	_, err = a.bytes()
	require.ErrorContains(t, err, "cannot make a file system for a kernel: ")
}

func TestAKernelThatDebianDoesNotHaveIsRefused(t *testing.T) {
	t.Parallel()

	_, err := run(t.TempDir(), "4.18", ".", time.Second)
	require.EqualError(t, err, "cannot run Linux 4.18: Debian's are [6.1 6.12]")
}

func TestABinaryThatNeedsLibrariesIsRefused(t *testing.T) {
	t.Parallel()

	require.ErrorContains(t, requireStatic("/bin/sh"), "its binary needs libraries; set CGO_ENABLED=0")
	require.ErrorContains(t, requireStatic(filepath.Join(t.TempDir(), "none")), "cannot read the test's own binary: ")
}
