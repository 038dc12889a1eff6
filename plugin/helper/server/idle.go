package server

import (
	"context"
	"fmt"
	"time"
)

// busyPause is how exactly the end of what nobody waits for is known.
const busyPause = 100 * time.Millisecond

// begin notes that something is under way until the caller calls end.
func (s *Server) begin() (end func()) {
	s.active.Add(1)

	return func() {
		s.touch()
		s.active.Add(-1)
	}
}

func (s *Server) touch() { s.lastActive.Store(time.Now().UnixNano()) }

// wait returns when the server has a reason to end.
func (s *Server) wait(ctx context.Context, ended <-chan error) error {
	timer := time.NewTimer(s.options.IdleExit)
	defer timer.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return fmt.Errorf("cannot serve: %w; systemd starts the helper again at the next request", err)
		case err := <-s.stuck:
			return err
		case <-timer.C:
			rest := s.untilIdle()
			if rest <= 0 {
				return nil
			}

			timer.Reset(rest)
		}
	}
}

// untilIdle is how long it takes until nobody has asked for the idle time.
func (s *Server) untilIdle() time.Duration {
	if s.options.Busy != nil && s.options.Busy() {
		s.touch()

		return min(busyPause, s.options.IdleExit)
	}

	if s.active.Load() > 0 {
		return s.options.IdleExit
	}

	return s.options.IdleExit - time.Since(time.Unix(0, s.lastActive.Load()))
}
