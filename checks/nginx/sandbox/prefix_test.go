package sandbox

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec" //nolint:depguard // what a sandboxed test says is compared with what an ordinary one says.
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// prefix is a directory with a configuration of nginx.
type prefix struct {
	dir    string
	binary string
	// environment makes names that do not resolve fail soon.
	environment []string
}

// newPrefix makes a directory whose path is short enough for sockets.
func newPrefix(tb testing.TB) *prefix {
	tb.Helper()
	dir, err := os.MkdirTemp("", "n")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, os.RemoveAll(dir)) })
	require.NoError(tb, os.Chmod(dir, 0o755))
	binary := os.Getenv(binaryVariable)
	if binary == "" {
		binary, err = nginx.Install()
		require.NoError(tb, err)
	}
	return &prefix{dir: dir, binary: binary, environment: []string{"RES_OPTIONS=timeout:1 attempts:1"}}
}

func (p *prefix) path(name string) string { return filepath.Join(p.dir, name) }

// write writes a file. {dir} stands for the directory.
func (p *prefix) write(tb testing.TB, name, content string) {
	tb.Helper()
	require.NoError(tb, os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	require.NoError(tb, os.WriteFile(p.path(name), []byte(strings.ReplaceAll(content, "{dir}", p.dir)), 0o644))
}

// configure writes nginx.conf. All that nginx makes by itself lies in the directory.
func (p *prefix) configure(tb testing.TB, main, http string) {
	tb.Helper()
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path {dir}/%s;\n", kind, kind)
	}
	if !strings.Contains(main, "pid ") {
		main += "\npid {dir}/nginx.pid;"
	}
	if !strings.Contains(main, "error_log ") {
		main += "\nerror_log {dir}/error.log;"
	}
	if !strings.Contains(http, "access_log ") {
		http += "\naccess_log {dir}/access.log;"
	}
	p.write(tb, "nginx.conf", main+"\nevents {}\nhttp {\n"+temporary.String()+http+"\n}\n")
}

func (p *prefix) arguments() []string {
	arguments := []string{"-p", p.dir, "-c", p.path("nginx.conf")}
	if os.Getenv(suiteVariable) == string(nginx.Bullseye) {
		return arguments
	}
	return append(arguments, "-e", "stderr")
}

func (p *prefix) command() Command {
	return Command{Binary: p.binary, Args: p.arguments(), Environment: p.environment}
}

// said is what a test tells of a configuration.
type said struct {
	exitCode int
	output   string
}

// stamp is what differs from run to run: "2026/11/24 12:56:01 [emerg] 24645#24645:".
var stamp = regexp.MustCompile(`(?m)^[0-9/]+ [0-9:]+ (\[\w+\]) \d+#\d+:`)

// ordinary is an ordinary test, with its effects.
func (p *prefix) ordinary(tb testing.TB) said {
	tb.Helper()
	command := exec.Command(p.binary, append(p.arguments(), "-t")...)
	command.Dir, command.Env = "/", append(os.Environ(), p.environment...)
	// What a test without a terminal does.
	output, err := command.CombinedOutput()
	if err != nil {
		require.NotNil(tb, command.ProcessState, "%v", err)
	}
	return said{command.ProcessState.ExitCode(), stamp.ReplaceAllString(string(output), "$1")}
}

func saidOf(r *Result) said {
	return said{r.ExitCode, stamp.ReplaceAllString(string(r.Output), "$1")}
}

// only is a sandbox of one technique.
func only(technique Technique) *Sandbox {
	return &Sandbox{available: []Availability{{Technique: technique, Works: true}}}
}

// test runs the test in a sandbox and requires that nothing in the directory has changed.
func (p *prefix) test(tb testing.TB, technique Technique) *Result {
	tb.Helper()
	before := p.tree(tb)
	test := only(technique).Test
	if os.Getenv(helperVariable) != "" {
		test = asHelper(technique)
	}
	result, err := test(context.Background(), p.command())
	require.NoError(tb, err)
	require.Equal(tb, before, p.tree(tb), "the directory has changed")
	require.Equal(tb, technique, result.Technique)
	require.False(tb, result.Survivors)
	return result
}

// inode is all of a file that a test could change.
type inode struct {
	number        uint64
	mode, uid     uint32
	gid, links    uint32
	size          int64
	change, write unix.Timespec
}

// tree is everything in the directory, and the directory.
func (p *prefix) tree(tb testing.TB) map[string]inode {
	tb.Helper()
	all := map[string]inode{}
	require.NoError(tb, filepath.WalkDir(p.dir, func(path string, _ fs.DirEntry, err error) error {
		var s unix.Stat_t
		if statErr := unix.Lstat(path, &s); statErr != nil {
			return statErr
		}
		all[path] = inode{s.Ino, s.Mode, s.Uid, s.Gid, uint32(s.Nlink), s.Size, s.Ctim, s.Mtim}
		if os.IsPermission(err) {
			return nil
		}
		return err
	}))
	return all
}
