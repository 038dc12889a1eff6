package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/journald"
)

// kept is a reader of a journal that a real journald keeps. Where none can be started, the reader says why it cannot read.
func kept(t *testing.T) (r *Reader, possible bool) {
	t.Helper()

	dir, possible := journald.StartT(t)
	if !possible {
		return NewReader(), false
	}

	return NewReader("--directory=" + dir), true
}

// write puts a line into the kernel log, as a process does.
func write(t *testing.T, line string) {
	t.Helper()
	require.NoError(t, os.WriteFile("/dev/kmsg", []byte(line+"\n"), 0))
}

func TestTheKernelLogIsReadOnceFromARealJournal(t *testing.T) {
	t.Parallel()

	r, possible := kept(t)
	if !possible {
		require.ErrorContains(t, r.Read(func(Entry) {}), "cannot read the journal: ")

		return
	}

	var texts []string

	count := func(want string) (n int) {
		for _, text := range texts {
			if text == want {
				n++
			}
		}

		return n
	}

	read := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			// At first there is no journal yet.
			_ = r.Read(func(e Entry) { texts = append(texts, e.Text) })

			return count(want) > 0
		}, 20*time.Second, 50*time.Millisecond)
	}

	mark := fmt.Sprintf("journal test %d", time.Now().UnixNano())

	write(t, mark+" a")
	read(mark + " a")

	all := len(texts)
	write(t, mark+" b")
	read(mark + " b")
	require.Equal(t, []int{1, 1}, []int{count(mark + " a"), count(mark + " b")})
	require.Less(t, len(texts)-all, all, "the second reading goes on where the first has ended")

	require.NoError(t, r.Read(func(e Entry) { texts = append(texts, e.Text) }))
	require.Equal(t, []int{1, 1}, []int{count(mark + " a"), count(mark + " b")})
}

func TestAJournalWithoutTheKernelSaysSo(t *testing.T) {
	t.Parallel()

	err := NewReader("--directory=" + t.TempDir()).Read(func(Entry) { t.Error("an entry of nothing") })
	if _, missing := findProgram(paths()); missing != nil {
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, "it needs systemd")

		return
	}

	// Some versions fail, and others have just nothing to say.
	require.ErrorContains(t, err, "cannot read the journal: it ")
	require.ErrorContains(t, err, "; add this user to the group systemd-journal")
}

func TestWhatOthersCanChangeIsNotRun(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	writable, folder := filepath.Join(dir, "journalctl"), filepath.Join(dir, "folder")
	require.NoError(t, os.WriteFile(writable, nil, 0o700))
	require.NoError(t, os.Chmod(writable, 0o775))
	require.NoError(t, os.Mkdir(folder, 0o755))

	for _, path := range []string{writable, folder} {
		_, err := findProgram([]string{filepath.Join(dir, "none"), path})
		require.EqualError(t, err, fmt.Sprintf("%s can be changed by others than root; run: chown root %s; chmod 0755 %s", path, path, path))
	}

	_, err := findProgram([]string{filepath.Join(dir, "none")})
	require.ErrorIs(t, err, fs.ErrNotExist)

	found, err := findProgram([]string{filepath.Join(dir, "none"), "/bin/sh"})
	require.NoError(t, err)
	require.Equal(t, "/bin/sh", found)
}

func TestARunIsBounded(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		script string
		lines  int
		err    string
	}{
		"all is read":                   {"echo a; echo b", 2, ""},
		"a failure is told":             {"echo a; echo hint >&2; echo 'no permission' >&2; exit 1", 1, "it says: no permission"},
		"a failure without a word":      {"exit 3", 0, "it says: "},
		"a program that hangs":          {"echo a; exec sleep 60", 1, errCut.Error()},
		"a line that does not end":      {"head -c 300000 /dev/zero; exec sleep 60", 0, errCut.Error()},
		"complaints without end":        {"head -c 300000 /dev/zero >&2; echo a", 1, ""},
		"more than is read in one turn": {"exec yes " + strings.Repeat("x", 1023), maxBytes / 1024, errCut.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			lines, begun := 0, time.Now()
			err := run("/bin/sh", []string{"-c", c.script}, func([]byte) { lines++ })

			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.err)
			}

			require.LessOrEqual(t, lines, c.lines)
			// The last lines may be cut, and are not taken.
			require.GreaterOrEqual(t, lines, c.lines*99/100)
			require.Less(t, time.Since(begun), 20*time.Second)
		})
	}
}

func TestAReadingThatIsCutGoesOn(t *testing.T) {
	t.Parallel()

	whole := readLines(io.LimitReader(zeros{}, maxBytes), func([]byte) {})
	require.False(t, whole)
	require.True(t, readLines(strings.NewReader("a\nb"), func([]byte) {}))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, errors.New("nothing to fill")
	}

	clear(p)

	return len(p), nil
}
