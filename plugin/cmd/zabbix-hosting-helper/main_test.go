package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/child"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	// asProgram makes the test binary the helper, and asPlugin an ordinary user's process that evaluates keys.
	asProgram = "HELPER_TEST_PROGRAM"
	asPlugin  = "HELPER_TEST_PLUGIN"

	nobody = 65534
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asProgram) != "":
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	case os.Getenv(asPlugin) != "":
		os.Exit(bePlugin(os.Args[1]))
	}

	os.Exit(m.Run())
}

// output is what a process writes. It is safe for concurrent use.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()

	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()

	return o.text.String()
}

// process is a helper that runs.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	exited         <-chan struct{}
}

// itself is the helper that this test binary is.
func itself(t testing.TB) string {
	t.Helper()

	path, err := os.Executable()
	require.NoError(t, err)

	return path
}

// launch starts the helper as systemd does (sd_listen_fds(3)): with sockets from descriptor 3 on, called names, and with what env adds.
func launch(t testing.TB, config string, sockets []*os.File, names string, env ...string) *process {
	t.Helper()

	return launchProgram(t, itself(t), config, sockets, names, env...)
}

func launchProgram(t testing.TB, path, config string, sockets []*os.File, names string, env ...string) *process {
	t.Helper()

	// The number of the process is known only in it.
	p := &process{cmd: exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"`, path, "--config", config)}
	p.cmd.Env = append(append(os.Environ(), asProgram+"=1", fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES="+names), env...)
	p.cmd.ExtraFiles = sockets
	p.start(t)

	return p
}

// start starts the process, which ends with the test.
func (p *process) start(t testing.TB) {
	t.Helper()

	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	var err error

	p.exited, err = child.Start(p.cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
	})
}

// wait returns the exit status.
func (p *process) wait(t testing.TB, limit time.Duration) int {
	t.Helper()

	select {
	case <-p.exited:
	case <-time.After(limit):
		require.Fail(t, "the helper has not ended", "after %s: %s", limit, &p.stderr)
	}

	return p.cmd.ProcessState.ExitCode()
}

// socket is one that systemd would listen on: it stays open whatever the helper does.
type socket struct {
	path string
	file *os.File
}

func listen(t testing.TB) socket {
	t.Helper()

	path := filepath.Join(program.DirT(t, "helper"), "socket")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	listener.SetUnlinkOnClose(false)

	file, err := listener.File()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.NoError(t, os.Chmod(path, 0o666))
	t.Cleanup(func() { _ = file.Close() })

	return socket{path, file}
}

// asker is the user that may ask beside root: nobody, or whoever runs the tests.
func asker(t testing.TB) string {
	t.Helper()

	if os.Geteuid() == 0 {
		return "nobody"
	}

	current, err := user.Current()
	require.NoError(t, err)

	return current.Username
}

func writeConfig(t testing.TB, lines ...string) (path string) {
	t.Helper()

	path = filepath.Join(t.TempDir(), "helper.toml")
	text := fmt.Sprintf("user = %q\n", asker(t)) + strings.Join(lines, "\n")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))

	return path
}

// start starts a helper that answers at a socket.
func start(t testing.TB, lines ...string) (*process, socket) {
	t.Helper()

	s := listen(t)

	return launch(t, writeConfig(t, lines...), []*os.File{s.file}, "helper"), s
}

func clientOf(t testing.TB, s socket) *helper.Client {
	t.Helper()

	client := helper.NewClient(s.path)
	t.Cleanup(client.Close)

	return client
}
