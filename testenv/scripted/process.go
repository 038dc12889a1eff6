package scripted

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

const (
	// connectLimit is the agents' default Timeout.
	connectLimit = 3 * time.Second
	endedLimit   = 50 * time.Millisecond
)

// Process is a plugin's process, started as agents start it, and the connection to it.
type Process struct {
	*Agent
	cmd    *exec.Cmd
	dir    string
	exited <-chan struct{}
	output lockedBuffer
}

// Run starts the plugin at path, in the registration phase or for operation, with further environment variables, and waits until it connects.
// The process dies with this one. The caller must call Stop.
func Run(d Dialect, path string, registration bool, environment ...string) (*Process, error) {
	dir, err := os.MkdirTemp("/tmp", "zbx")
	if err != nil {
		return nil, fmt.Errorf("cannot make a directory for the socket: %w; make /tmp writable", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "plugin"), Net: "unix"})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot listen for the plugin: %w; make /tmp writable", err), os.RemoveAll(dir))
	}
	defer func() { _ = listener.Close() }()
	p := &Process{dir: dir}
	p.cmd = exec.Command(path, listener.Addr().String(), strconv.FormatBool(registration))
	p.cmd.Env = append(os.Environ(), environment...)
	// As in agent 7.0, a pipe: whoever inherits it and lives on keeps the plugin from having exited.
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if p.exited, err = child.Start(p.cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start the plugin: %w; build it first", err), os.RemoveAll(dir))
	}
	conn, err := p.accept(listener)
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("cannot get a connection from the plugin: %w; it wrote: %s", err, p.Output())
	}
	p.Agent = Attach(d, conn)
	return p, nil
}

// accept waits for the plugin's connection, though not for a plugin that has ended without one.
func (p *Process) accept(listener *net.UnixListener) (net.Conn, error) {
	if err := listener.SetDeadline(time.Now().Add(connectLimit)); err != nil {
		return nil, err
	}
	accepted := make(chan struct{})
	defer close(accepted)
	go func() {
		select {
		case <-p.exited:
			// What it may have connected before its end is still taken.
			_ = listener.SetDeadline(time.Now().Add(endedLimit))
		case <-accepted:
		}
	}()
	return listener.Accept()
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output returns what the plugin, or a child, wrote on stdout and stderr.
func (p *Process) Output() string { return p.output.String() }

// Exited is closed when the plugin has ended and nobody holds its stdout or stderr any more.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode waits for the plugin's end and returns its exit code, or -1 where a signal ended it.
func (p *Process) ExitCode() int {
	<-p.exited
	return p.cmd.ProcessState.ExitCode()
}

// Stop closes the connection and kills what is left of the plugin's process group.
func (p *Process) Stop() {
	_ = p.Close()
	p.stop()
}

func (p *Process) stop() {
	select {
	case <-p.exited:
	default:
		// An error means that the group has ended.
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		<-p.exited
	}
	_ = os.RemoveAll(p.dir)
}

// lockedBuffer may be read while the process writes.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
