package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// files writes files into a new directory and returns it. Their changes are settled for a test that begins now.
func files(t testing.TB, texts map[string]string) (dir string) {
	t.Helper()

	dir = t.TempDir()
	for name, text := range texts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}

	time.Sleep(2 * settleTime)

	return dir
}

func TestEveryChangeOfAFileIsSeen(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(dir string) error{
		"other text of the same length and time": func(dir string) error {
			path := filepath.Join(dir, "a.conf")
			info, err := os.Stat(path)
			if err != nil {
				return err
			}

			if err := os.WriteFile(path, []byte("A"), 0o600); err != nil {
				return err
			}

			return os.Chtimes(path, info.ModTime(), info.ModTime())
		},
		"another file under the name":  func(dir string) error { return os.Rename(filepath.Join(dir, "b.conf"), filepath.Join(dir, "a.conf")) },
		"a file that is gone":          func(dir string) error { return os.Remove(filepath.Join(dir, "a.conf")) },
		"a file that was not there":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "c.conf"), nil, 0o600) },
		"a link to another file":       func(dir string) error { return relink(dir) },
		"other rights":                 func(dir string) error { return os.Chmod(filepath.Join(dir, "a.conf"), 0o644) },
		"one file more in a directory": func(dir string) error { return os.WriteFile(filepath.Join(dir, "z.conf"), nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := files(t, map[string]string{"a.conf": "a", "b.conf": "b"})
			require.NoError(t, os.Symlink("a.conf", filepath.Join(dir, "link.conf")))
			time.Sleep(2 * settleTime)

			f := takeFingerprint([]string{
				dir, filepath.Join(dir, "a.conf"), filepath.Join(dir, "c.conf"), filepath.Join(dir, "link.conf"),
			}, time.Now())

			require.True(t, f.settled)
			require.Empty(t, f.changed())
			require.NoError(t, change(dir))
			require.NotEmpty(t, f.changed())
		})
	}
}

func relink(dir string) error {
	if err := os.Symlink("b.conf", filepath.Join(dir, "new")); err != nil {
		return err
	}

	return os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "link.conf"))
}

func TestAFileThatChangedDuringTheTestUnsettlesIt(t *testing.T) {
	t.Parallel()

	dir := files(t, map[string]string{"a.conf": "a"})
	testedAt := time.Now()

	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.conf"), []byte("b"), 0o600))
	require.False(t, takeFingerprintOf(dir, testedAt, "a.conf").settled)
}

func takeFingerprintOf(dir string, testedAt time.Time, names ...string) fingerprint {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
	}

	return takeFingerprint(paths, testedAt)
}

func TestWhatTheKernelMakesUpIsNoPartOfAFingerprint(t *testing.T) {
	t.Parallel()

	f := takeFingerprint([]string{"/proc/self/status", "/sys/kernel/mm", "/dev/null"}, time.Now())
	require.Empty(t, f.stamps)
	require.True(t, f.settled)
}

// BenchmarkUnchanged is a poll of 10,000 virtual hosts in files of their own.
func BenchmarkUnchanged(b *testing.B) {
	dir := b.TempDir()
	paths := make([]string, 10_000)

	for i := range paths {
		paths[i] = filepath.Join(dir, fmt.Sprintf("vhost%05d.conf", i))
		require.NoError(b, os.WriteFile(paths[i], []byte("server {}"), 0o600))
	}

	f := takeFingerprint(paths, time.Now())

	b.ReportAllocs()

	for b.Loop() {
		require.Empty(b, f.changed())
	}
}
