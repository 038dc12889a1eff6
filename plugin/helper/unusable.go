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
	"strings"
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

// maxGarbage bounds what an error quotes.
const maxGarbage = 100

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
		return &UnusableError{State: Absent, why: c.pool.socket + " is missing; run systemctl enable --now " + Unit + ".socket"}
	case dial && errors.Is(err, fs.ErrPermission):
		return &UnusableError{State: Refused, why: fmt.Sprintf("%s is closed to user %s; run as root or as the agent's user", c.pool.socket, userName())}
	case dial && errors.Is(err, syscall.ECONNREFUSED):
		return &UnusableError{State: NotAnswering, why: "nobody listens at " + c.pool.socket + "; run systemctl restart " + Unit + ".socket"}
	case dial && errors.Is(err, syscall.EAGAIN):
		return &UnusableError{State: NotAnswering, slow: waited >= patience, why: "too many others wait for it" + restart}
	case ctx.Err() != nil:
		return &UnusableError{State: NotAnswering, slow: waited >= patience, why: fmt.Sprintf("no answer within %.1f s%s", waited.Seconds(), restart)}
	case dial:
		return &UnusableError{State: NotAnswering, why: "cannot connect to " + c.pool.socket + ": " + short(err) + restart}
	case vanished(err):
		return &UnusableError{State: NotAnswering, why: "it ended before it answered, twice" + restart}
	}

	return &UnusableError{State: NotAnswering, why: "its answer cannot be used: " + short(err) + restart}
}

// vanished tells a connection that ended where an answer was due.
func vanished(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// short is the innermost error, of which a helper's garbage may be a part.
func short(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}

	text := err.Error()
	if len(text) > maxGarbage {
		text = strings.ToValidUTF8(text[:maxGarbage], "") + "…"
	}

	return text
}

func userName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}

	return strconv.Itoa(os.Geteuid())
}

// note keeps how a question went; the problem is nil where the helper did answer.
func (c *Client) note(problem *UnusableError, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.health.Requests++
	c.health.AskedAt = time.Now()

	if version != "" {
		c.health.Version = version
	}

	if problem == nil {
		c.health.State, c.health.Err = OK, nil

		return
	}

	c.health.Failures++
	c.health.State, c.health.Err = problem.State, problem

	if problem.slow {
		c.rested = time.Now().Add(pause)
	}
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
