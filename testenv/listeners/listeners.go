// Package listeners runs processes that listen, for tests of what sees them do it.
//
// Such a process is the test's own binary again: TestMain calls Run, and tests call Start.
package listeners

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/again"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// variable makes this program such a process, as its value says.
const variable = "HOSTING_TEST_LISTENERS"

// Task is what the process does, in this order, before it waits to be stopped.
type Task struct {
	// Interfaces brings up those of a network namespace of its own.
	Interfaces bool
	// Sockets are opened and stay open.
	Sockets []Socket
	// Late has all of them be bound before the first listens. Those that the kernel refuses then stay silent.
	Late bool
	// Listeners are so many that come and go on a socket each, by some at once, open for Life.
	Listeners, Workers int
	Life               time.Duration
	// Brief is the kind of them; 127.0.0.1 and a port that the kernel chooses where it has no address.
	Brief Socket
	// Connections are so many that are made to a listener of its own, accepted and closed.
	Connections int
	// Ends has the process end at once.
	Ends bool
}

// Result is what it has done.
type Result struct {
	PID int
	// NamespaceID is its network namespace, by the number that lsns(8) shows.
	NamespaceID uint64
	// Addresses are those of the sockets that stay open.
	Addresses []netip.AddrPort
	Error     string
}

// Run never returns in a process that Start started, and at once in all others.
func Run() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}

	var task Task

	result := &Result{PID: os.Getpid()}

	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = task.run(result)
	}

	if err != nil {
		result.Error = err.Error()
	}

	_ = json.NewEncoder(os.Stdout).Encode(result)

	if !task.Ends {
		// It ends when its parent does, however that ends.
		_, _ = os.Stdin.Read(make([]byte, 1))
	}

	os.Exit(0)
}

func (task *Task) run(result *Result) error {
	if task.Interfaces {
		if err := apart.RaiseInterfaces(); err != nil {
			return err
		}
	}

	var own syscall.Stat_t
	if err := syscall.Stat("/proc/self/ns/net", &own); err != nil {
		return fmt.Errorf("cannot tell the network namespace: %w; mount proc", err)
	}

	result.NamespaceID = own.Ino

	if err := task.stay(result); err != nil {
		return err
	}

	if err := task.comeAndGo(); err != nil {
		return err
	}

	return task.connect()
}

// Process is one that Start started.
type Process struct {
	Result

	process *again.Process
}

// Start starts a process and returns when it has done its task. It ends with the test, at the latest. Through is a command
// that starts it, as again.Start takes it; none where the test itself does.
func Start(tb testing.TB, task Task, sys *syscall.SysProcAttr, through ...string) *Process {
	tb.Helper()

	p, err := start(task, sys, through)
	if err != nil {
		tb.Fatal(err)
	}

	tb.Cleanup(p.Stop)

	return p
}

// Environment is the variable, as NAME=value, that makes a test's binary such a process, also on another machine.
func Environment(task Task) (string, error) {
	text, err := json.Marshal(task)

	return variable + "=" + string(text), err
}

func start(task Task, sys *syscall.SysProcAttr, through []string) (*Process, error) {
	environment, err := Environment(task)
	if err != nil {
		return nil, err
	}

	started, err := again.Start(environment, sys, through...)
	if err != nil {
		return nil, err
	}

	p := &Process{process: started}

	line, err := started.Output.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.Result)
	}

	if err == nil && p.Error != "" {
		err = errors.New(p.Error)
	}

	if err != nil {
		p.Stop()

		return nil, fmt.Errorf("cannot have a process listen: %w", err)
	}

	return p, nil
}

// Stop ends the process and returns when it has ended. It may be called again.
func (p *Process) Stop() { p.process.Stop() }
