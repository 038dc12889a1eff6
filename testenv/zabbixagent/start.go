package zabbixagent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/child"
	"zabbix-agent2-plugin-hosting/testenv/freeport"
	"zabbix-agent2-plugin-hosting/testenv/passive"
)

const (
	logFile     = "log"
	consoleFile = "console"

	// A plugin may take the agent's Timeout to connect, to register, to validate and to go; whoever takes longer hangs for ever.
	startSteps = 4
	startSlack = 5 * time.Second
	// portAttempts is how often another program may take the free port before the agent does.
	portAttempts = 3
	// longestDir leaves room for the sockets' names in the 107 bytes that a unix socket's path may have.
	longestDir  = 70
	outputLimit = 16 << 10
)

// StartError is an agent that did not start.
type StartError struct {
	Version Version
	// ExitCode is the agent's, or -1 where it hung and was killed.
	ExitCode int
	// Output is what the agent wrote on its console and then in its log, at most the last 16 KiB.
	Output string
}

func (e *StartError) Error() string {
	how := fmt.Sprintf("it ended with code %d", e.ExitCode)
	if e.ExitCode < 0 {
		how = "it did not answer in time"
	}
	return fmt.Sprintf("cannot start Zabbix agent %s: %s; mend what it says: %s", e.Version, how, strings.TrimSpace(e.Output))
}

// Start starts an agent and returns when it answers agent.ping. An agent that does not is killed; the error is then a *StartError.
// The agent dies with this process. The caller must call Stop.
func Start(o Options) (*Agent, error) {
	o = o.withDefaults()
	binary, err := Install(o.Version)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		a, err := start(binary, o)
		if err == nil {
			return a, nil
		}
		var failed *StartError
		if attempt == portAttempts || !errors.As(err, &failed) || !strings.Contains(failed.Output, "address already in use") {
			return nil, err
		}
	}
}

func start(binary Binary, o Options) (*Agent, error) {
	dir, err := runDir(o)
	if err != nil {
		return nil, err
	}
	a := &Agent{version: o.Version, plugin: o.Plugin, dir: dir}
	if err := a.launch(binary, o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if a.awaitPing(startSteps*time.Duration(o.Timeout)*time.Second + startSlack) {
		return a, nil
	}
	failed := &StartError{Version: o.Version, ExitCode: -1}
	select {
	case <-a.exited:
		failed.ExitCode = a.ExitCode()
	default:
		a.Kill()
	}
	console, err := os.ReadFile(filepath.Join(dir, consoleFile))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read why the agent did not start: %w; try again", err), a.Stop())
	}
	failed.Output = string(console) + a.Log()
	failed.Output = failed.Output[max(0, len(failed.Output)-outputLimit):]
	if err := a.Stop(); err != nil {
		return nil, errors.Join(failed, err)
	}
	return nil, failed
}

// launch writes the configuration and starts the process.
func (a *Agent) launch(binary Binary, o Options) error {
	port, err := freeport.Pick()
	if err != nil {
		return err
	}
	a.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	conf := filepath.Join(a.dir, "conf")
	if err := os.WriteFile(conf, []byte(o.conf(a.dir, port)), 0o644); err != nil {
		return fmt.Errorf("cannot write the agent's configuration: %w; free space in %s", err, os.TempDir())
	}
	console, err := os.Create(filepath.Join(a.dir, consoleFile))
	if err != nil {
		return fmt.Errorf("cannot make a file for the agent's console: %w; free space in %s", err, os.TempDir())
	}
	defer func() { _ = console.Close() }()
	a.cmd = exec.Command(binary.Path, "-f", "-c", conf)
	a.cmd.Dir = a.dir
	a.cmd.Stdout, a.cmd.Stderr = console, console
	if len(binary.Libraries) > 0 {
		a.cmd.Env = append(os.Environ(), libraryPath(binary.Libraries))
	}
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if o.UID != 0 || o.GID != 0 {
		a.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: o.UID, Gid: o.GID}
	}
	if a.exited, err = child.Start(a.cmd); err != nil {
		return fmt.Errorf("cannot run %s: %w; remove build/agents, and check that the agent's user may reach that path", binary.Path, err)
	}
	return nil
}

func (a *Agent) awaitPing(limit time.Duration) bool {
	ping := passive.Client{Address: a.address, Timeout: 5 * time.Second}
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if value, err := ping.Get("agent.ping"); err == nil && value == "1" {
			return true
		}
		select {
		case <-a.exited:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false
}

// runDir makes a directory for one agent, owned by whom it runs as.
func runDir(o Options) (string, error) {
	base := os.TempDir()
	if len(base) > longestDir {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "zbx")
	if err != nil {
		return "", fmt.Errorf("cannot make a directory for the agent: %w; make %s writable", err, base)
	}
	if o.UID != 0 || o.GID != 0 {
		if err := os.Chown(dir, int(o.UID), int(o.GID)); err != nil {
			return "", errors.Join(fmt.Errorf("cannot run the agent as user %d: %w; run this as root", o.UID, err), os.Remove(dir))
		}
	}
	return dir, nil
}
