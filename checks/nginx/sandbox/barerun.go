package sandbox

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// testBare runs an ordinary test, of which is known that it changes nothing.
func testBare(ctx context.Context, command Command) (*Result, error) {
	surroundings, err := openSurroundings(command.Namespaces)
	if err != nil {
		return nil, err
	}
	defer surroundings.close()
	streams, err := openStreams(ctx)
	if err != nil {
		return nil, err
	}
	defer streams.close()
	begun := time.Now()
	result := &Result{Technique: TechniqueBare}
	ended := make(chan error)
	cancelled := false
	onOwnThread(func() {
		err := surroundings.enter()
		if err == nil {
			cancelled, err = runBare(command, streams, result, begun)
		}
		ended <- err
	})
	if err := <-ended; err != nil {
		return nil, err
	}
	result.DurationS = time.Since(begun).Seconds()
	if cancelled {
		return nil, fmt.Errorf("cannot finish the configuration test: %w", context.Cause(ctx))
	}
	return result, nil
}

func runBare(command Command, streams *streams, result *Result, begun time.Time) (cancelled bool, err error) {
	pid, pidfd, err := fork(command, streams, false)
	if err != nil {
		return false, err
	}
	j := newJudge(command, pid, pidfd, streams, result)
	defer j.close()
	if pidfd >= 0 {
		defer func() { _ = unix.Close(pidfd) }()
	}
	files, limited := setLimits(pid, command)
	result.NoFile = files
	w := startWatch(streams, j, result, begun.Add(command.timeout()))
	status, err := j.reap(result)
	w.mainEnded()
	w.end()
	complete(result, status)
	if err == nil {
		err = limited
	}
	return w.cancelled, err
}
