package instance

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bootedAt is when the host of the fake trees was started.
var bootedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// fakeProcess is one process of a fake proc tree.
type fakeProcess struct {
	pid, parent int
	title       string
	comm        string
	ticks       int
	uid         int
	// startedBy is the real user, by default the effective one, which is uid.
	startedBy int
	// pids are its numbers in the name spaces of processes, by default none.
	pids string
	// exe and cwd are what the links say; none for a process that this user may not trace.
	exe, cwd string
	// root is the root directory, by default the tree's own.
	root   string
	cgroup string
	limits string
	mount  string
	// netNS is the number of its network namespace, by default 1.
	netNS int
	// environment is how many bytes the environment took.
	environment int
}

// fakeProc is a proc tree with an init process, as a finder reads it. It returns the tree and the root directory.
func fakeProc(t *testing.T, processes ...fakeProcess) (tree, root string) {
	t.Helper()

	tree, root = t.TempDir(), t.TempDir()
	self := fakeProcess{pid: 99, title: "agent", exe: "/bin/agent", comm: "agent", ticks: 5}

	for _, p := range append(processes, self, fakeProcess{pid: 1, title: "/sbin/init", comm: "init"}) {
		if p.root == "" {
			p.root = root
		}

		p.write(t, filepath.Join(tree, strconv.Itoa(p.pid)))
	}

	require.NoError(t, os.Symlink("99", filepath.Join(tree, "self")))
	require.NoError(t, os.Mkdir(filepath.Join(tree, "sys"), 0o755))

	return tree, root
}

func (p fakeProcess) write(t *testing.T, dir string) {
	t.Helper()

	if p.netNS == 0 {
		p.netNS = 1
	}

	start, end := 1000, 1000+len(p.title)+2+p.environment
	if p.exe == "" {
		start, end = 0, 0
	}

	stat := fmt.Sprintf("%d (%s) S %d%s %d%s %d 0 0 %d\n",
		p.pid, p.comm, p.parent, strings.Repeat(" 7", 17), p.ticks, strings.Repeat(" 8", 25), start, end)
	files := map[string]string{
		"cmdline": p.title + "\x00", "comm": p.comm + "\n", "stat": stat, "cgroup": p.cgroup, "limits": p.limits,
		"status":    fmt.Sprintf("Name:\t%s\nUid:\t%d\t%d\t7\t7\nNSpid:\t%s\n", p.comm, cmp.Or(p.startedBy, p.uid), p.uid, p.pids),
		"mountinfo": p.mount,
	}

	require.NoError(t, os.MkdirAll(filepath.Join(dir, "ns"), 0o755))

	for name, text := range files {
		if text == "" {
			continue
		}

		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}

	if p.exe == "" {
		return
	}

	for name, target := range map[string]string{
		"exe": p.exe, "cwd": p.cwd, "root": p.root, "ns/mnt": "mnt:[4026531840]", "ns/net": fmt.Sprintf("net:[%d]", p.netNS),
	} {
		if target != "" {
			require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
		}
	}
}

// fakeNginx is a file that says what it is as a fixture does.
func fakeNginx(t *testing.T, fixture string) string {
	t.Helper()

	dir := t.TempDir()
	path := filepath.Join(dir, "nginx")
	writeProgram(t, path, fixture)

	return path
}

func writeProgram(t *testing.T, path, fixture string) {
	t.Helper()

	output, err := os.ReadFile(filepath.Join("testdata", "version", fixture+".txt"))
	require.NoError(t, err)

	// Code without a zero byte, then the texts as a compiler leaves them.
	program := "\x7fELF" + strings.Repeat("code ", scanBuffer/4) + "\x00" + strings.ReplaceAll(string(output), "\n", "\n\x00")
	require.NoError(t, os.WriteFile(path, []byte(program), 0o755))
}

// newFinder is a finder for a fake tree.
func newFinder(tree string, configured ...Configured) *Finder {
	f := NewFinder(tree, configured, NewBuilds(nil))
	f.bootedAt = func() time.Time { return bootedAt }

	return f
}
