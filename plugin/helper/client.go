package helper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// maxWaiting bounds the questions under way, so that a helper that hangs does not take all slots of the worker.
	maxWaiting = 16
	// pause is how long nothing is asked of a helper that did not answer in time: each key tells why at once.
	pause = 5 * time.Second
	// reserve is kept of the caller's own deadline, to say what went wrong.
	reserve = 50 * time.Millisecond
	// patience is how long a helper that works may take; of one that does not answer sooner nothing follows.
	patience = 500 * time.Millisecond
	// waitStep makes questions of the same second alike, so that the helper answers them together.
	waitStep = 100 * time.Millisecond
	// What is wrong with the helper is looked at again after staleFault, a little less than the usual interval of items. One that works
	// is asked for nothing but that after staleHealth only: it may end meanwhile, for nobody needs it.
	staleFault  = 50 * time.Second
	staleHealth = time.Hour
)

// Client asks the helper. It is safe for concurrent use, makes no connection before the first question, and needs no
// restart whatever the helper does.
type Client struct {
	pool    pool
	waiting chan struct{}

	mu     sync.Mutex
	health Health
	// rested is when the helper is asked again after it has not answered.
	rested time.Time
}

// Health is how the plugin stands with the helper, by the last question.
type Health struct {
	State State
	// Version is the helper's release by its last answer; empty before.
	Version string
	// Err is nil in the states NotNeeded and OK.
	Err error
	// AskedAt is zero before the first question.
	AskedAt  time.Time
	Requests uint64
	Failures uint64
}

// NewClient asks at a socket, on a real system SocketPath.
func NewClient(socket string) *Client {
	return &Client{pool: pool{socket: socket}, waiting: make(chan struct{}, maxWaiting), health: Health{State: Absent}}
}

// Health tells how the last question went.
func (c *Client) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.health
}

// Silent tells that the last question is too old to say how the helper is now.
func (c *Client) Silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()

	if c.health.State == OK {
		return time.Since(c.health.AskedAt) >= staleHealth
	}

	return time.Since(c.health.AskedAt) >= staleFault
}

// Close lets go of the connections. The client can be used on.
func (c *Client) Close() { c.pool.close() }

// JSON asks for an answer that is JSON, and returns it as it is. An *UnusableError tells that the helper could not be asked;
// any other error is the check's own, for which errors.Is works as if the check had been made here, or that ctx was canceled.
func (c *Client) JSON(ctx context.Context, r Request) ([]byte, error) {
	return c.ask(ctx, question{Request: r, contentType: jsonType})
}

// Text asks for an answer that is text. The text lies in buf, or in a larger buffer that replaces it.
func (c *Client) Text(ctx context.Context, r Request, buf []byte) ([]byte, error) {
	return c.ask(ctx, question{Request: r, contentType: textType, buf: buf})
}

// Status asks the helper for its own state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status

	body, err := c.JSON(ctx, Request{Verb: VerbStatus})
	if err == nil && json.Unmarshal(body, &status) != nil {
		err = garbage("it is no status")
	}

	return status, err
}

func (c *Client) ask(ctx context.Context, q question) ([]byte, error) {
	caller := ctx
	info, _ := q.Verb.Info()

	ctx, cancel := context.WithTimeout(ctx, info.Limit)
	defer cancel()

	if err := c.enter(ctx, caller); err != nil {
		return nil, err
	}
	defer func() { <-c.waiting }()

	begun := time.Now()

	if deadline, ok := ctx.Deadline(); ok {
		q.Wait = waitUntil(deadline)
	}

	a, err := c.inquire(ctx, q)

	switch _, ofCheck := errors.AsType[*checkError](err); {
	case err == nil || ofCheck:
		c.note(nil, a.version)

		return a.body, err
	case errors.Is(caller.Err(), context.Canceled):
		return nil, canceled(caller)
	}

	problem := c.explain(ctx, err, time.Since(begun))
	c.note(problem, a.version)

	return nil, problem
}

// enter waits for a place among the questions under way, which the caller gives back.
func (c *Client) enter(ctx, caller context.Context) error {
	if err := c.resting(); err != nil {
		return err
	}

	select {
	case c.waiting <- struct{}{}:
	case <-ctx.Done():
		if errors.Is(caller.Err(), context.Canceled) {
			return canceled(caller)
		}

		return &UnusableError{State: NotAnswering, why: fmt.Sprintf("%d other questions to it wait already", maxWaiting)}
	}

	// Those before may have found out meanwhile that it hangs.
	err := c.resting()
	if errors.Is(caller.Err(), context.Canceled) {
		err = canceled(caller)
	}

	if err != nil {
		<-c.waiting
	}

	return err
}

// canceled says that nobody waits for the answer any more, which is not the helper's fault.
func canceled(caller context.Context) error {
	return fmt.Errorf("cannot wait for the root helper: %w", context.Cause(caller))
}

// waitUntil is what the helper is told of a caller's deadline.
func waitUntil(deadline time.Time) time.Duration {
	wait := time.Until(deadline) - reserve
	if wait > waitStep {
		return wait.Truncate(waitStep)
	}

	return max(time.Millisecond, wait.Truncate(time.Millisecond))
}
