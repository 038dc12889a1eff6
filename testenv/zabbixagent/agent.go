package zabbixagent

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/passive"
)

const (
	// stopLimit is above the 5 s that the agent itself waits for its plugins.
	stopLimit = 10 * time.Second
	// lingerLimit is what a plugin may take to notice that its agent is gone.
	lingerLimit = time.Second
)

// NotSupported is the agent's answer that it cannot give a value.
type NotSupported = passive.NotSupported

// Agent is a running agent. Its methods may be called from any goroutine.
type Agent struct {
	version Version
	plugin  string
	dir     string
	address string
	cmd     *exec.Cmd
	exited  <-chan struct{}

	mu      sync.Mutex
	family  []process
	stopped bool
	lastLog string
}

// Get asks for key with a plain passive request. The error is a *NotSupported where the agent has no value.
func (a *Agent) Get(key string) (string, error) {
	return passive.Client{Address: a.address}.Get(key)
}

// GetTimeout asks for key as a server of the agent's version does: with a timeout for 7.0, without for 6.0.
func (a *Agent) GetTimeout(key string, timeoutS int) (string, error) {
	if a.version == V60 {
		return a.Get(key)
	}
	// The agent itself gives up half a second after the timeout.
	limit := time.Duration(timeoutS)*time.Second + 5*time.Second
	return passive.Client{Address: a.address, Timeout: limit}.GetTimeout(key, timeoutS)
}

// Version returns the agent's release series.
func (a *Agent) Version() Version { return a.version }

// Address returns host and port of the agent's passive checks.
func (a *Agent) Address() string { return a.address }

// PID returns the agent's process id.
func (a *Agent) PID() int { return a.cmd.Process.Pid }

// LogPath returns the path of the agent's log, which Stop removes.
func (a *Agent) LogPath() string { return filepath.Join(a.dir, logFile) }

// Log returns the agent's whole log, also after Stop.
func (a *Agent) Log() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return a.lastLog
	}
	return a.readLog()
}

// readLog returns what there is: an agent that failed early has no log.
func (a *Agent) readLog() string {
	log, err := os.ReadFile(a.LogPath())
	if err != nil {
		return ""
	}
	return string(log)
}

// PluginPIDs returns the agent's children that run the plugin, and their descendants.
func (a *Agent) PluginPIDs() []int {
	all := processes()
	var pids []int
	for _, child := range all {
		if child.parent != a.PID() || !child.runs(a.plugin) {
			continue
		}
		pids = append(pids, child.pid)
		for _, below := range descendants(all, child.pid) {
			pids = append(pids, below.pid)
		}
	}
	return pids
}

// Exited returns a channel that is closed when the agent has ended.
func (a *Agent) Exited() <-chan struct{} { return a.exited }

// ExitCode waits for the agent's end and returns its exit code, or -1 where a signal ended it.
func (a *Agent) ExitCode() int {
	<-a.exited
	return a.cmd.ProcessState.ExitCode()
}

// Kill ends the agent with SIGKILL and waits for its end. Its plugins have to notice by themselves; Stop is still to be called.
func (a *Agent) Kill() {
	a.remember()
	a.signal(syscall.SIGKILL)
	<-a.exited
}

// Stop ends the agent with SIGTERM, or SIGKILL where it does not go, then whatever it left behind, and removes its files.
// The error tells that the agent had to be killed.
func (a *Agent) Stop() error {
	a.remember()
	a.signal(syscall.SIGTERM)
	var err error
	select {
	case <-a.exited:
	case <-time.After(stopLimit):
		err = fmt.Errorf("cannot stop Zabbix agent %s within %s, so it was killed; look into its log", a.version, stopLimit)
		a.Kill()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return nil
	}
	a.killFamily()
	a.lastLog = a.readLog()
	a.stopped = true
	return errors.Join(err, os.RemoveAll(a.dir))
}

func (a *Agent) signal(signal os.Signal) {
	// The only error is that the process has ended, which is what signals are sent for.
	_ = a.cmd.Process.Signal(signal)
}

// remember keeps the descendants for killFamily: those of a dead agent cannot be told from others.
func (a *Agent) remember() {
	select {
	case <-a.exited:
		// Its pid may be somebody else's by now.
		return
	default:
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.family = append(a.family, descendants(processes(), a.PID())...)
}

// killFamily ends what outlives the agent although its end should have ended it.
func (a *Agent) killFamily() {
	awaitEnd(a.family)
	for _, p := range a.family {
		if p.alive() {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
	// Whoever was born after remember is in the group. An empty group is no error.
	_ = syscall.Kill(-a.PID(), syscall.SIGKILL)
	awaitEnd(a.family)
}

// awaitEnd waits for the end of all, for lingerLimit at most.
func awaitEnd(all []process) {
	for deadline := time.Now().Add(lingerLimit); anyAlive(all) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
}
