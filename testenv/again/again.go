// Package again runs a test's own binary again, as another process that its TestMain makes do something else.
package again

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

// Process is one that Start started.
type Process struct {
	// PID is that of the command that started it, where there is one.
	PID int
	// Input is its standard input, by whose end it should end, and Output its standard output.
	Input  *os.File
	Output *bufio.Reader

	process *os.Process
	exited  <-chan struct{}
}

// Start starts it with one more variable in its environment, NAME=value. Sys may make it another user's, who need not be
// able to reach the binary. Through is a command that starts it in turn, such as {"sh", "-c", `"$0"; true`}, of which "$0"
// is the binary. The caller must call Stop.
func Start(variable string, sys *syscall.SysProcAttr, through ...string) (*Process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the test's own binary: %w; run it from a file that still exists", err)
	}

	program, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the test's own binary: %w", err)
	}
	defer program.Close()

	input, own, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close()

	output, theirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	defer theirs.Close()

	command := append(slices.Clip(through), path)
	cmd := exec.Command(command[0], command[1:]...)

	if sys != nil && sys.Credential != nil {
		cmd.Path = "/proc/self/fd/3"
	}

	cmd.Env = append(os.Environ(), variable)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles, cmd.SysProcAttr = input, theirs, os.Stderr, []*os.File{program}, sys

	exited, err := child.Start(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot run the test's own binary: %w", err), own.Close(), output.Close())
	}

	return &Process{PID: cmd.Process.Pid, Input: own, Output: bufio.NewReader(output), process: cmd.Process, exited: exited}, nil
}

// Stop ends the process by the end of its input, and returns when it has ended. It may be called again.
func (p *Process) Stop() {
	_ = p.Input.Close()
	<-p.exited
}

// Kill ends the process by SIGKILL, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.process.Kill()
	p.Stop()
}
