package listener

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// fakeProcess writes the files of a process below a directory that stands for /proc.
func fakeProcess(t *testing.T, files map[string]string) *ProcessReader {
	t.Helper()

	proc := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(proc, "7"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "stat"), []byte("cpu 1 2\nbtime 1000\n"), 0o600))

	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(proc, "7", name), []byte(content), 0o600))
	}

	return NewReader(proc, "").NewProcessReader()
}

const statTail = " S 3 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 100 200\n"

func TestAProcess(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("a", pieceSize+1)

	for name, c := range map[string]struct {
		files map[string]string
		want  Process
	}{
		"all that is told": {
			files: map[string]string{
				"stat":    "7 (nginx)" + statTail,
				"cmdline": "nginx: master process /usr/sbin/nginx\x00-g\x00daemon on;\x00",
				"status":  "Name:\tnginx\nUid:\t33\t0\t0\t0\n",
				"cgroup":  "0::/system.slice/nginx.service\n",
			},
			want: Process{
				PID: 7, PPID: 3, StartedAt: 1123.45, StartTicks: 12345, Name: "nginx",
				CommandLine: "nginx: master process /usr/sbin/nginx -g daemon on;", UID: new(uint32(0)), User: rootName(t),
				Cgroup: "/system.slice/nginx.service", Unit: "nginx.service",
			},
		},
		"only what everybody may know": {
			files: map[string]string{"stat": "7 (a)" + statTail},
			want:  Process{PID: 7, PPID: 3, StartedAt: 1123.45, StartTicks: 12345, Name: "a"},
		},
		"a name that looks like the rest": {
			files: map[string]string{"stat": "7 (a) S (1 2)" + statTail, "status": "Uid:\n", "cmdline": ""},
			want:  Process{PID: 7, PPID: 3, StartedAt: 1123.45, StartTicks: 12345, Name: "a) S (1 2"},
		},
		"text that would harm a terminal": {
			files: map[string]string{"stat": "7 (\x1b]0;x\x07)" + statTail, "cmdline": "a\x1b[2J\nb\x00\xff\u202e", "cgroup": "0::/\x1b.scope\n"},
			want: Process{
				PID: 7, PPID: 3, StartedAt: 1123.45, StartTicks: 12345, Name: "?]0;x?", CommandLine: "a?[2J?b ??", Cgroup: "/?.scope",
				Unit: "?.scope",
			},
		},
		"a command line without end": {
			files: map[string]string{"stat": "7 (a)" + statTail, "cmdline": long},
			want:  Process{PID: 7, PPID: 3, StartedAt: 1123.45, StartTicks: 12345, Name: "a", CommandLine: long[:textLimit] + procfile.CutMark},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := fakeProcess(t, c.files).Read(7)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func rootName(t *testing.T) string {
	t.Helper()

	root, err := user.LookupId("0")
	require.NoError(t, err)

	return root.Username
}

func TestAProcessThatHasEnded(t *testing.T) {
	t.Parallel()

	_, err := fakeProcess(t, nil).Read(8)
	require.ErrorIs(t, err, unix.ENOENT)

	_, err = fakeProcess(t, nil).Read(7)
	require.ErrorIs(t, err, unix.ENOENT)

	_, err = fakeProcess(t, map[string]string{"stat": "7 (a) S 3"}).Read(7)
	require.EqualError(t, err, `cannot understand the state of a process: "7 (a) S 3"`)
}

func TestARealProcess(t *testing.T) {
	t.Parallel()

	executable, err := os.Executable()
	require.NoError(t, err)

	p, err := NewReader("/proc", "/sys").NewProcessReader().Read(os.Getpid())
	require.NoError(t, err)

	now := float64(time.Now().Unix())
	require.InDelta(t, now, p.StartedAt, 20*60)
	require.LessOrEqual(t, p.StartedAt, now+2)
	require.NotZero(t, p.StartTicks)
	require.True(t, strings.HasPrefix(p.Cgroup, "/"))

	want := Process{
		PID: os.Getpid(), PPID: os.Getppid(), Name: filepath.Base(executable)[:min(15, len(filepath.Base(executable)))],
		CommandLine: CommandLine([]byte(strings.Join(os.Args, "\x00"))), Executable: executable, UID: new(uint32(os.Geteuid())),
		StartedAt: p.StartedAt, StartTicks: p.StartTicks, Cgroup: p.Cgroup, Unit: p.Unit,
	}
	if u, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
		want.User = u.Username
	}

	require.Equal(t, want, p)
}

func TestABootTimeThatIsUnknown(t *testing.T) {
	t.Parallel()

	proc := t.TempDir()
	require.Zero(t, readBootTime(proc))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "stat"), []byte("cpu 1\n"), 0o600))
	require.Zero(t, readBootTime(proc))
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("7 (a) S (1 2)" + statTail))
	f.Add([]byte("7 (a"))

	f.Fuzz(func(t *testing.T, data []byte) {
		p, ok := parseStat(data)
		if ok {
			require.LessOrEqual(t, len(p.Name), textLimit+len(procfile.CutMark))
		}

		_ = CommandLine(data)
	})
}
