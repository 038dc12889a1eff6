package helper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// UnusableError tells why the helper could not be asked, and what mends it.
type UnusableError struct {
	State State
	why   string
	// slow marks a helper that is not asked again at once.
	slow bool
}

func (e *UnusableError) Error() string { return "cannot ask the root helper: " + e.why }

// Is lets a helper that is not there, or not for this user, count as a missing permission.
func (e *UnusableError) Is(target error) bool {
	return target == fs.ErrPermission && (e.State == Absent || e.State == Refused)
}

const restart = "; see systemctl status " + Unit + ".service"

func garbage(what string) error {
	return &UnusableError{State: NotAnswering, why: "its answer cannot be used: " + what + restart}
}

// explain turns what a connection or HTTP says into what an administrator can act on.
func (c *Client) explain(ctx context.Context, err error, waited time.Duration) *UnusableError {
	if known, ok := errors.AsType[*UnusableError](err); ok {
		return known
	}

	dial := false
	if op, ok := errors.AsType[*net.OpError](err); ok {
		dial = op.Op == "dial"
	}

	switch {
	case dial && errors.Is(err, fs.ErrNotExist):
		return &UnusableError{State: Absent, why: c.socket + " is missing; run systemctl enable --now " + Unit + ".socket"}
	case dial && errors.Is(err, fs.ErrPermission):
		return &UnusableError{State: Refused, why: fmt.Sprintf("%s is closed to user %s; run as root or as the agent's user", c.socket, userName())}
	case dial && errors.Is(err, syscall.ECONNREFUSED):
		return &UnusableError{State: NotAnswering, why: "nobody listens at " + c.socket + "; run systemctl restart " + Unit + ".socket"}
	case ctx.Err() != nil:
		return &UnusableError{State: NotAnswering, slow: true, why: fmt.Sprintf("no answer within %.1f s%s", waited.Seconds(), restart)}
	case vanished(err):
		return &UnusableError{State: NotAnswering, why: "it ended before it answered, twice" + restart}
	}

	return &UnusableError{State: NotAnswering, why: "its answer cannot be used: " + bare(err) + restart}
}

// vanished tells a connection that ended where an answer was due.
func vanished(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// bare leaves out the request that net/http puts before its errors.
func bare(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}

	return err.Error()
}

func userName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}

	return strconv.Itoa(os.Geteuid())
}

// note keeps how a question went, and returns its error. The problem is nil where the helper did answer.
func (c *Client) note(problem error, version string) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.health.Requests++
	c.health.AskedAt = time.Now()

	if version != "" {
		c.health.Version = version
	}

	unusable, ok := errors.AsType[*UnusableError](problem)
	if !ok {
		c.health.State, c.health.Err = OK, nil

		return nil
	}

	c.health.Failures++
	c.health.State, c.health.Err = unusable.State, unusable

	if unusable.slow {
		c.rested = time.Now().Add(pause)
	}

	return unusable
}

// resting repeats the last error while a helper that hung is left alone.
func (c *Client) resting() error {
	c.mu.Lock()
	defer c.mu.Unlock()

	if time.Now().Before(c.rested) && c.health.State == NotAnswering {
		return c.health.Err
	}

	return nil
}
