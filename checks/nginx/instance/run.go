package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// runLimit is a hundred times what a slow disk takes.
const runLimit = 5 * time.Second

// run runs a program with -V, which nginx answers before it touches anything. Another program can touch nothing, either.
func (b *Builds) run(ctx context.Context, in tree.Tree, path string) (Build, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()

	result, err := b.sandbox.Version(ctx, sandbox.Command{
		Binary: path, Environment: []string{"LC_ALL=C"}, Namespaces: in.PID, StartTicks: in.StartTicks, Timeout: runLimit,
	})

	switch {
	case ctx.Err() != nil || err == nil && result.TimedOut:
		return Build{}, errors.New("it did not answer -V in time")
	case err != nil:
		return Build{}, err
	case result.Signal != "":
		return Build{}, fmt.Errorf("it answered -V with signal: %v", unix.SignalNum(result.Signal))
	case result.ExitCode != 0:
		return Build{}, fmt.Errorf("it answered -V with exit status %d and %q", result.ExitCode, shown(string(result.Output)))
	}

	return ParseBuild(bytes.NewReader(result.Output))
}
