package nginx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec" //nolint:depguard // a test starts itself under other circumstances.
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

const (
	// childVariable makes this test program one that reports as its value says.
	childVariable = "NGINX_TEST_CHILD"
	childLimit    = time.Minute
	// ordinaryUser is nobody's number.
	ordinaryUser = 65534
)

// childTask is what such a program does.
type childTask struct {
	Instance   string
	Configured []instance.Configured
	Timeout    time.Duration
	// Resolver is a resolver for a program with mounts and a network of its own; empty leaves the host's.
	Resolver resolver
	// Directory is one for its files, an empty one where it is not set.
	Directory string
	// Helper has the program be in the place of the root helper, where it sees the host by this process.
	Helper bool
	// OpenFiles is how many files it may open; 0 leaves the limit.
	OpenFiles uint64
}

// resolver is how a host's only resolver behaves.
type resolver string

const (
	silentResolver resolver = "silent"
	closedResolver resolver = "closed"
)

// childResult is what it answers.
type childResult struct {
	Report *Report
	// Left are the processes whose command line names the configuration of the only configured instance afterwards.
	Left  []string
	Error string
}

func TestMain(m *testing.M) {
	if task := os.Getenv(childVariable); task != "" {
		runChild(task)
		os.Exit(0)
	}

	os.Exit(m.Run())
}

func runChild(text string) {
	var (
		task   childTask
		result childResult
	)

	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = task.run(&result)
	}

	if err != nil {
		result.Error = err.Error()
	}

	_ = json.NewEncoder(os.Stdout).Encode(result)
}

func (task *childTask) run(result *childResult) (err error) {
	if task.Resolver != "" {
		restore, err := task.Resolver.install(task.Directory)
		if err != nil {
			return err
		}
		defer restore()
	}

	ctx, cancel := context.WithTimeout(context.Background(), childLimit)
	defer cancel()

	o := Options{
		ProcPath: "/proc", SysPath: "/sys", Root: task.Directory, Configured: task.Configured, Revalidate: time.Hour, Timeout: task.Timeout,
	}
	if task.Helper {
		o.HostPID = os.Getppid()
	}

	if task.OpenFiles != 0 {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: task.OpenFiles, Max: task.OpenFiles}); err != nil {
			return err
		}
	}

	m := NewMonitor(o)
	defer m.Stop()

	for result.Report == nil || result.Report.TestRunning {
		if result.Report, err = m.Report(ctx, task.Instance); err != nil {
			return err
		}
	}

	for _, c := range task.Configured {
		result.Left = append(result.Left, processesWith(c.Config)...)
	}

	return nil
}

// processesWith are the command lines that hold a text.
func processesWith(text string) (found []string) {
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(text)) {
			found = append(found, string(line))
		}
	}

	return found
}

// install has the host's names be asked for on 127.0.0.1.
func (r resolver) install(dir string) (restore func(), err error) {
	if err := loopbackUp(); err != nil {
		return nil, fmt.Errorf("cannot bring the loopback interface up: %w", err)
	}

	file := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
		return nil, err
	}

	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount(file, "/etc/resolv.conf", "", unix.MS_BIND, "")); err != nil {
		return nil, fmt.Errorf("cannot replace /etc/resolv.conf: %w", err)
	}

	if r == closedResolver {
		return func() {}, nil
	}

	questions, err := net.ListenPacket("udp4", "127.0.0.1:53")
	if err != nil {
		return nil, err
	}

	return func() { _ = questions.Close() }, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()

	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}

	request.SetUint16(unix.IFF_UP)

	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// inChild has a program report that is started with attributes.
func inChild(t *testing.T, task childTask, attributes *syscall.SysProcAttr) *childResult {
	t.Helper()

	if task.Directory == "" {
		task.Directory = t.TempDir()
	}

	text, err := json.Marshal(task)
	require.NoError(t, err)

	// An ordinary user could not reach the directory.
	program, err := apart.Itself()
	require.NoError(t, err)

	defer program.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 2*childLimit)
	defer cancel()

	command := exec.CommandContext(ctx, apart.SelfPath)
	command.Env = append(os.Environ(), childVariable+"="+string(text))
	command.ExtraFiles = []*os.File{program}
	command.SysProcAttr = attributes
	command.Stderr = os.Stderr

	start := func(f func() error) error { return f() }
	if task.Helper {
		start = apart.AsHelper
	}

	var output []byte

	require.NoError(t, start(func() (err error) {
		output, err = command.Output()

		return err
	}))

	var result childResult

	require.NoError(t, json.Unmarshal(output, &result), "%s", output)
	require.Empty(t, result.Error)

	return &result
}
