package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec" //nolint:depguard // -V is how nginx tells what it is; see Builds.Of for when it is asked.
	"syscall"
	"time"
)

const (
	// runLimit is a hundred times what a slow disk takes.
	runLimit = 5 * time.Second
	// pipeLimit is how long a child that the program left behind may hold its output open.
	pipeLimit = time.Second
)

// runVersion runs a program with -V, which nginx answers before it touches anything.
func runVersion(ctx context.Context, path string) (Build, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()

	var output capped

	command := exec.CommandContext(ctx, path, "-V")
	command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	command.Dir = "/"
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.WaitDelay = pipeLimit
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }

	err := command.Run()

	if command.Process != nil {
		// Whom it left behind is in its group; an empty group is no error.
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}

	if ctx.Err() != nil {
		return Build{}, errors.New("it did not answer -V in time")
	} else if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return Build{}, fmt.Errorf("it answered -V with %w and %q", exited, shown(output.String()))
	} else if err != nil {
		return Build{}, err
	}

	return ParseBuild(&output.Buffer)
}

// capped keeps the start of what is written and swallows the rest.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	_, _ = c.Buffer.Write(p[:min(len(p), maxVersionOutput-c.Len())])

	return len(p), nil
}
