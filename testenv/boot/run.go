package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

// Root is the machine's superuser.
const Root = "root"

// Result is what a command in the machine did.
type Result struct {
	Stdout, Stderr string
	// Status is the command's exit status, or 128 and the number of the signal that ended it, as shells have it.
	Status int
}

// Run runs a command in the machine as a user: a name, or "name:group" for that user without any group but this one. A command that fails is no error,
// one that cannot be run is; the result tells then what it printed until ctx ended it.
func (m *Machine) Run(ctx context.Context, user string, argv ...string) (Result, error) {
	return m.run(ctx, nil, user, argv)
}

// Write writes a file of the machine with an octal mode, as root, and makes its directory.
func (m *Machine) Write(ctx context.Context, path, mode string, content io.Reader) error {
	result, err := m.run(ctx, content, Root, []string{"install", "-D", "--mode=" + mode, "/dev/stdin", path})
	if err == nil && result.Status != 0 {
		err = fmt.Errorf("install says: %s", result.Stderr)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s in the machine: %w", path, err)
	}
	return nil
}

// CopyIn copies a file of the host into the machine, as Write does.
func (m *Machine) CopyIn(ctx context.Context, file, path, mode string) error {
	content, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("cannot copy a file into the machine: %w; make it first", err)
	}
	defer func() { _ = content.Close() }()
	return m.Write(ctx, path, mode, content)
}

// Journal is what a unit has logged since the machine booted last, a message per line.
func (m *Machine) Journal(ctx context.Context, unit string) (string, error) {
	// What was just written is in the journal only after --sync.
	if _, err := m.Run(ctx, Root, "journalctl", "--sync"); err != nil {
		return "", err
	}
	result, err := m.Run(ctx, Root, "journalctl", "--boot", "--unit="+unit, "--output=cat", "--no-pager")
	return result.Stdout, err
}

func (m *Machine) run(ctx context.Context, stdin io.Reader, user string, argv []string) (Result, error) {
	init := m.container.init()
	if init == 0 {
		return Result{}, fmt.Errorf("cannot run %s: the machine does not run; its console: %s", argv[0], m.Console())
	}
	var stdout, stderr bytes.Buffer
	command := exec.Command("nsenter", append(enter(init, user), argv...)...)
	command.Stdin, command.Stdout, command.Stderr = stdin, &stdout, &stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A daemon that keeps the output open is not waited for.
	command.WaitDelay = time.Second
	exited, err := child.Start(command)
	if err != nil {
		return Result{}, fmt.Errorf("cannot enter the machine: %w; install the package util-linux", err)
	}
	select {
	case <-exited:
	case <-ctx.Done():
		// nsenter does not pass signals on to its child, which is in its group.
		err = errors.Join(fmt.Errorf("cannot wait for %s any longer: %w", strings.Join(argv, " "), ctx.Err()), syscall.Kill(-command.Process.Pid, syscall.SIGKILL))
		<-exited
	}
	status := command.ProcessState.ExitCode()
	if wait, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		status = 128 + int(wait.Signal())
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Status: status}, err
}

// enter returns the arguments that make nsenter run a command in all namespaces of a process, as a user and with an environment like that of a service.
func enter(init int, user string) []string {
	arguments := []string{
		"--target=" + strconv.Itoa(init), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--",
		"env", "--ignore-environment", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
	}
	if user == Root {
		return append(arguments, "HOME=/root")
	}
	name, group, only := strings.Cut(user, ":")
	if only {
		return append(arguments, "setpriv", "--reuid="+name, "--regid="+group, "--clear-groups")
	}
	return append(arguments, "runuser", "--user="+name, "--")
}

// lastMessages is the end of the whole journal.
func (m *Machine) lastMessages() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	result, err := m.Run(ctx, Root, "journalctl", "--lines=60", "--no-pager", "--no-hostname")
	return result.Stdout, err
}
