package nginx

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	stopLimit    = 10 * time.Second
	pollInterval = 5 * time.Millisecond
	// tailLimit is how much of the log an error tells.
	tailLimit = 2 << 10
)

// masters are what was started: the first process, and those that left it.
type masters struct {
	first *program.Process
	// daemons are the masters that are nobody's children: one, and its successor during an upgrade.
	daemons []*os.Process
	guard   *guard
}

// Start starts nginx with its last configuration and returns when it answers.
func (n *Nginx) Start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running != nil {
		return errors.New("cannot start nginx: it was started already; call Halt first")
	}
	command := exec.Command(n.Program(), n.Arguments()...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	first, err := program.Run(command, filepath.Join(n.dir, "console"))
	if err != nil {
		return err
	}
	n.running = &masters{first: first}
	if n.options.Daemon {
		err = n.adopt(command)
	} else {
		n.pid.Store(int64(first.PID()))
		err = first.Await(startLimit, n.works)
	}
	if err != nil {
		return errors.Join(err, n.halt())
	}
	return nil
}

// adopt waits until the process that was started has left its master behind.
func (n *Nginx) adopt(started *exec.Cmd) error {
	var err error
	if n.running.guard, err = startGuard(n.PIDPath()); err != nil {
		return err
	}
	select {
	case <-n.running.first.Exited():
	case <-time.After(startLimit):
		return fmt.Errorf("cannot start nginx: it did not become a daemon within %s; mend what it says: %s", startLimit, n.running.first.Output())
	}
	if !started.ProcessState.Success() {
		return fmt.Errorf("cannot start nginx: it ended; mend what it says: %s", n.running.first.Output())
	}
	var master *os.Process
	err = n.await("start", func() bool {
		if master == nil {
			master = readPID(n.PIDPath())
		}
		return master != nil && n.works()
	})
	if master != nil {
		n.running.daemons = append(n.running.daemons, master)
		n.pid.Store(int64(master.Pid))
	}
	return err
}

// Halt ends nginx and keeps its directory, so that it can be started again. It may be called again.
func (n *Nginx) Halt() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.halt()
}

func (n *Nginx) halt() error {
	if n.running == nil {
		return nil
	}
	var all error
	for _, master := range n.running.daemons {
		all = errors.Join(all, end(master, syscall.SIGTERM))
	}
	for _, master := range n.running.daemons {
		// Whom it left behind is in its group. An empty group is no error.
		_ = syscall.Kill(-master.Pid, syscall.SIGKILL)
	}
	all = errors.Join(all, n.running.first.Stop())
	if n.running.guard != nil {
		n.running.guard.end()
	}
	n.running = nil
	return all
}

// end ends a master, by SIGKILL where it does not go.
func end(master *os.Process, signal syscall.Signal) error {
	// The only error is that the process has ended.
	_ = master.Signal(signal)
	for deadline := time.Now().Add(stopLimit); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if ended(master.Pid) {
			return nil
		}
	}
	_ = master.Kill()
	return fmt.Errorf("cannot stop nginx's master %d within %s, so it was killed; end the requests that it serves", master.Pid, stopLimit)
}

// await waits until ready is true.
func (n *Nginx) await(what string, ready func() bool) error {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if ready() {
			return nil
		}
	}
	log := n.Log()
	return fmt.Errorf("cannot %s nginx: it is not ready after %s; mend what it says: %s", what, startLimit, log[max(0, len(log)-tailLimit):])
}

// works tells whether the last configuration answers; of one given whole, whether a master runs.
func (n *Nginx) works() bool {
	if n.options.Whole != "" {
		return readPID(n.PIDPath()) != nil
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + n.Addr() + generationPath)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return err == nil && string(body) == strconv.Itoa(n.generation)
}

// PID is the process id of the master that was started last, which an upgrade changes.
func (n *Nginx) PID() int { return int(n.pid.Load()) }

// Signal sends a signal to the master.
func (n *Nginx) Signal(signal syscall.Signal) error {
	if err := syscall.Kill(n.PID(), signal); err != nil {
		return fmt.Errorf("cannot signal nginx: %w; start it first", err)
	}
	return nil
}

// readPID returns the running process that a pid file names, or nil.
func readPID(path string) *os.Process {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || ended(pid) {
		return nil
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil
	}
	return process
}
