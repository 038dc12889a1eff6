package program

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

const (
	stopLimit    = 10 * time.Second
	pollInterval = 5 * time.Millisecond
	outputLimit  = 2 << 10
	// longestDir leaves room for sockets' names in the 107 bytes that a unix socket's path may have.
	longestDir = 80
)

// Process is a server in the foreground. Its methods may be called from any goroutine.
type Process struct {
	cmd     *exec.Cmd
	console string
	exited  <-chan struct{}
}

// Run starts a server whose output goes to the file console. When this process dies it gets SIGTERM, so that it can end its own children, or the signal that
// cmd names.
// The caller must call Stop.
func Run(cmd *exec.Cmd, console string) (*Process, error) {
	output, err := os.OpenFile(console, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot make a file for a program's output: %w; free space in %s", err, os.TempDir())
	}
	defer func() { _ = output.Close() }()
	cmd.Stdout, cmd.Stderr = output, output
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = cmp.Or(cmd.SysProcAttr.Pdeathsig, syscall.SIGTERM)
	exited, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w; remove its directory under build, so that it is fetched again", cmd.Path, err)
	}
	return &Process{cmd: cmd, console: console, exited: exited}, nil
}

// PID is the server's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the server has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Signal sends a signal to the server, if it still runs.
func (p *Process) Signal(signal os.Signal) {
	// The only error is that the process has ended.
	_ = p.cmd.Process.Signal(signal)
}

// Await waits until ready is true. The error tells what the server wrote.
func (p *Process) Await(limit time.Duration, ready func() bool) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if ready() {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("cannot start %s: it ended; mend what it says: %s", filepath.Base(p.cmd.Path), p.Output())
		case <-time.After(pollInterval):
		}
	}
	return fmt.Errorf("cannot wait for %s any longer: it is not ready after %s; mend what it says: %s", filepath.Base(p.cmd.Path), limit, p.Output())
}

// Output is the end of what the server wrote on its console.
func (p *Process) Output() string {
	output, err := os.ReadFile(p.console)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(output[max(0, len(output)-outputLimit):]))
}

// Stop ends the server with SIGTERM, or SIGKILL where it does not go, and its children with it. It may be called again.
func (p *Process) Stop() error {
	p.Signal(syscall.SIGTERM)
	var err error
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		err = fmt.Errorf("cannot stop %s within %s, so it was killed; mend what it says: %s", filepath.Base(p.cmd.Path), stopLimit, p.Output())
		p.Signal(syscall.SIGKILL)
		<-p.exited
	}
	// Whom it left behind is in its group. An empty group is no error.
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	return err
}

// Kill ends the server and its children at once, without a word. It may be called again.
func (p *Process) Kill() {
	// Both fail only where there is nobody left.
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	<-p.exited
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
}

// Dir makes a directory whose path is short enough for sockets.
func Dir(name string) (string, error) {
	base := os.TempDir()
	if len(base) > longestDir {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, name)
	if err != nil {
		return "", fmt.Errorf("cannot make a directory for %s: %w; make %s writable", name, err, base)
	}
	return dir, nil
}

// DirT is Dir for tests: any user may enter it, and it is removed at the test's end.
func DirT(tb testing.TB, name string) string {
	tb.Helper()
	dir, err := Dir(name)
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return dir
}

// WriteFiles writes the files of a program's directory.
func WriteFiles(dir string, files map[string]string) error {
	var all error
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			all = errors.Join(all, fmt.Errorf("cannot write a configuration: %w; free space in %s", err, dir))
		}
	}
	return all
}
