package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

const (
	// maxRunning bounds the work of all callers of a lane together.
	maxRunning = 4
	// stuckAfter is how much more than its time work may take. What then still goes on hangs, and only the end of the process frees what
	// it holds.
	stuckAfter = 30 * time.Second
)

// lane is what some users' requests share.
type lane struct {
	slots chan struct{}
	group singleflight.Group
}

func newLane() *lane { return &lane{slots: make(chan struct{}, maxRunning)} }

// do gives the caller what the verb results in, at the latest when it does not wait any more.
func (s *Server) do(ctx context.Context, w http.ResponseWriter, l *lane, request helper.Request) (*answer, error) {
	if request.Verb == helper.VerbStatus {
		return encode(s.status())
	}

	if err := s.options.Configuration; err != nil {
		return nil, &failure{helper.CodeConfiguration, err.Error()}
	}

	info, _ := request.Verb.Info()
	limit := info.Limit

	if request.Wait > 0 {
		limit = min(limit, request.Wait)
	}

	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	// It is no error where the connection has no deadlines.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit + writeLimit))

	own := false
	results := l.group.DoChan(request.Target(), func() (any, error) {
		own = true

		return s.run(l, request, limit)
	})

	select {
	case result := <-results:
		if !own {
			s.sharedRequests.Add(1)
		}

		if result.Err != nil {
			return nil, result.Err
		}

		return result.Val.(*answer), nil
	case <-ctx.Done():
		return nil, &failure{helper.CodeTooLate, fmt.Sprintf("%s takes longer than %s; it goes on, ask again", request.Verb, limit)}
	}
}

// run does the work for all who ask the same at the same time, whether or not they still wait.
func (s *Server) run(l *lane, request helper.Request, limit time.Duration) (result *answer, err error) {
	defer s.begin()()

	ctx, cancel := context.WithTimeout(s.base, limit)
	defer cancel()

	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-time.After(limit - limit/10): // while the callers still listen
		return nil, &failure{helper.CodeBusy, fmt.Sprintf("cannot do %s: %d other requests take their time; ask again", request.Verb, maxRunning)}
	}

	watch := time.AfterFunc(limit+s.options.stuckAfter, func() { s.tellStuck(request.Verb, limit) })
	defer watch.Stop()

	defer func() {
		if panicked := recover(); panicked != nil {
			err = s.recovered(request.Verb, panicked)
		}
	}()

	value, err := s.options.Handlers[request.Verb](ctx, request)
	if err != nil {
		return nil, err
	}

	return encode(value)
}

// tellStuck has the server end.
func (s *Server) tellStuck(verb helper.Verb, limit time.Duration) {
	select {
	case s.stuck <- fmt.Errorf("cannot serve on: %s has not ended %s after its %s; systemd starts the helper again, see what hangs in the kernel's log",
		verb, s.options.stuckAfter, limit):
	default: // another has told already
	}
}
