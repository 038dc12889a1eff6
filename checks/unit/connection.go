package unit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

const (
	// patience is what an answer may take: unit facts are a part of values that must not wait for them.
	patience = 300 * time.Millisecond
	// backOff is how long nothing is asked after a failure; meanwhile every question fails the same way at once.
	backOff = 30 * time.Second
	// maxAsking bounds the questions at one time and maxCalls the calls of each: a bus refuses more than 128 unanswered
	// calls of a connection.
	maxAsking = 4
	maxCalls  = 16
)

// ErrNoSystemd is what every question fails with where systemd is not the init, or has no bus. Facts are absent then.
var ErrNoSystemd = errors.New("no systemd runs here")

// errSilent is why a question ended that took longer than patience.
var errSilent = errors.New("no answer within " + patience.String())

// Options say where systemd is.
type Options struct {
	// RunDir is a directory that exists where systemd is the init (sd_booted(3)).
	RunDir string
	// BusPath is the socket of the system bus.
	BusPath string
}

// System is where systemd is on a real system.
func System() Options {
	return Options{RunDir: "/run/systemd/system", BusPath: "/run/dbus/system_bus_socket"}
}

// Reader asks systemd over one connection, which it makes at the first question and again after it broke. It is safe for
// concurrent use.
type Reader struct {
	options Options
	backOff time.Duration
	asking  chan struct{}

	mu   sync.Mutex
	link *link
	// refusal is what questions get until the time of refusedUntil.
	refusal      error
	refusedUntil time.Time
}

// NewReader connects to nothing yet.
func NewReader(o Options) *Reader {
	return &Reader{options: o, backOff: backOff, asking: make(chan struct{}, maxAsking)}
}

// Close ends the connection. The next question makes another one.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.drop()
}

// Patient bounds several questions by the time that one of them may take.
func Patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, patience, errSilent)
}

// ask puts one question, and once more where the connection was an old one that had broken unnoticed.
func (r *Reader) ask(ctx context.Context, question func(context.Context, *systemd.Conn) error) error {
	ctx, cancel := Patient(ctx)
	defer cancel()

	err := r.once(ctx, question)
	if errors.Is(err, dbus.ErrClosed) {
		err = r.once(ctx, question)
	}

	var answered dbus.Error
	if err == nil || errors.As(err, &answered) || errors.Is(err, ErrNoSystemd) {
		return err
	}

	if ctx.Err() != nil {
		err = context.Cause(ctx)
		if !errors.Is(err, errSilent) {
			return fmt.Errorf("cannot wait for systemd: %w", err)
		}
	}

	return r.refuse(err)
}

func (r *Reader) once(ctx context.Context, question func(context.Context, *systemd.Conn) error) error {
	l, err := r.connection()
	if err != nil {
		return err
	}

	select {
	case <-l.made:
	case <-ctx.Done():
		return context.Cause(ctx)
	}

	if l.err != nil {
		return l.err
	}

	select {
	case r.asking <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}

	defer func() { <-r.asking }()

	return question(ctx, l.conn)
}

// connection is the present one, or one that is being made.
func (r *Reader) connection() (*link, error) {
	for _, path := range []string{r.options.RunDir, r.options.BusPath} {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoSystemd, err)
		}
	}

	r.mu.Lock()
	defer r.mu.Unlock()

	if time.Now().Before(r.refusedUntil) {
		return nil, r.refusal
	}

	if r.link == nil || r.link.broken() {
		r.drop()
		r.link = connect(r.options.BusPath)
	}

	return r.link, nil
}

// refuse remembers why nothing is asked for a while.
func (r *Reader) refuse(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()

	if time.Now().Before(r.refusedUntil) {
		return r.refusal
	}

	// A connection that is still being made may yet serve.
	if r.link != nil && r.link.isMade() {
		r.drop()
	}

	r.refusal = fmt.Errorf("cannot ask systemd: %w; look at `systemctl status dbus`, it is asked again after %s", err, r.backOff)
	r.refusedUntil = time.Now().Add(r.backOff)

	return r.refusal
}

// drop ends the connection. The caller holds the lock.
func (r *Reader) drop() {
	if r.link != nil {
		r.link.end()
		r.link = nil
	}
}
