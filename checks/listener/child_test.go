package listener

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childVariable makes this test program another process on the host, as its value says.
const childVariable = "LISTENER_TEST_CHILD"

// nobody is an ordinary user.
const nobody = 65534

// childTask is what such a process does, in this order, before it waits for the end of its standard input.
type childTask struct {
	// LoopbackUp makes the loopback interface of a new network namespace usable.
	LoopbackUp bool
	// Cgroup is a cgroup to go into.
	Cgroup string
	Listen []listenTask
	// Child is a child process of its own, which may hold further ones.
	Child *childTask
	// ChildFlags are clone flags of that child.
	ChildFlags uintptr
	// NoSockDiag has the kernel refuse netlink sockets.
	NoSockDiag bool
	// Snapshot and Report are asked for; PIDs 0 of the masters stand for the child.
	Snapshot *Query
	Report   *Options
}

// childResult is what it answers, in one line of JSON.
type childResult struct {
	PID       int
	Addresses []netip.AddrPort
	Child     *childResult
	Snapshot  *Snapshot
	Report    *Report
	Error     string
}

func TestMain(m *testing.M) {
	if task := os.Getenv(childVariable); task != "" {
		runChild(task)
	}

	os.Exit(m.Run())
}

func runChild(text string) {
	var task childTask

	result := &childResult{PID: os.Getpid()}

	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = task.run(result)
	}

	if err != nil {
		result.Error = err.Error()
	}

	_ = json.NewEncoder(os.Stdout).Encode(result)

	// It ends when its parent does, however that ends.
	_, _ = os.Stdin.Read(make([]byte, 1))

	os.Exit(0)
}

func (task *childTask) run(result *childResult) (err error) {
	if task.LoopbackUp {
		err = loopbackUp()
	}

	if err == nil && task.Cgroup != "" {
		err = os.WriteFile(task.Cgroup+"/cgroup.procs", []byte("0"), 0)
	}

	for _, l := range task.Listen {
		if err == nil {
			var address netip.AddrPort

			_, address, err = l.open()
			result.Addresses = append(result.Addresses, address)
		}
	}

	if err == nil && task.Child != nil {
		var c *child

		if c, err = startChild(*task.Child, &syscall.SysProcAttr{Cloneflags: task.ChildFlags}); err == nil {
			result.Child = &c.result
		}
	}

	if err == nil && task.NoSockDiag {
		err = refuseNetlink()
	}

	if err == nil && (task.Snapshot != nil || task.Report != nil) {
		err = task.ask(result)
	}

	return err
}

func (task *childTask) ask(result *childResult) (err error) {
	pid := 0
	if result.Child != nil {
		pid = result.Child.PID
	}

	r := NewReader("/proc", "/sys")

	if task.Snapshot != nil {
		if task.ChildFlags != 0 {
			task.Snapshot.PID = pid
		}

		result.Snapshot, err = r.Snapshot(context.Background(), *task.Snapshot)
	} else {
		result.Report, err = r.Read(context.Background(), *task.Report)
	}

	return err
}

// child is such a process seen from its parent.
type child struct {
	process *os.Process
	stdin   *os.File
	result  childResult
}

// start starts a child that ends with the test, at the latest.
func start(t testing.TB, task childTask, sys *syscall.SysProcAttr, files ...*os.File) *child {
	t.Helper()

	c, err := startChild(task, sys, files...)
	require.NoError(t, err)
	t.Cleanup(c.stop)

	return c
}

func startChild(task childTask, sys *syscall.SysProcAttr, files ...*os.File) (*child, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}

	// Opened, because an ordinary user could not reach the directory.
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer program.Close()

	input, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close()

	stdout, output, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdout.Close()

	process, err := os.StartProcess("/proc/self/fd/3", []string{"listener-test-child", "with\x1bescape"}, &os.ProcAttr{
		Env:   []string{childVariable + "=" + string(text), "GORACE=" + os.Getenv("GORACE")},
		Files: append([]*os.File{input, output, os.Stderr, program}, files...),
		Sys:   sys,
	})
	if err = errors.Join(err, output.Close()); err != nil {
		_ = stdin.Close()

		return nil, err
	}

	c := &child{process: process, stdin: stdin}

	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.result)
	}

	if err == nil && c.result.Error != "" {
		err = errors.New(c.result.Error)
	}

	if err != nil {
		c.stop()
	}

	return c, err
}

func (c *child) stop() {
	_ = c.stdin.Close()
	_, _ = c.process.Wait()
}

func (c *child) pid() int { return c.process.Pid }

// limited ends long after all that it is used for.
func limited(t testing.TB) context.Context {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)

	return ctx
}
