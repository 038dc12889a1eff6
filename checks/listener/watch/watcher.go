// Package watch sees every process that begins to receive clients on this host, even for half a millisecond, names it with
// those that started it, and tells which of them do so beside an nginx to which they do not belong.
//
// The kernel tells of each socket (package probe). Where it may not be asked, the sockets are looked at again and again.
package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

// DefaultInterval is how often the sockets are looked at where the kernel does not tell of them.
const DefaultInterval = time.Second

// Options say how to watch.
type Options struct {
	// ProcPath and SysPath are "/proc" and "/sys" on a real system.
	ProcPath, SysPath string
	// Masters finds the nginx that run now. It is called every ten seconds, and when somebody listens beside a socket of
	// which nobody knows whose it is.
	Masters func(context.Context) ([]listener.Master, error)
	// Interval is how often sockets are polled, and DefaultInterval if 0.
	Interval time.Duration
	// PollOnly does without programs in the kernel.
	PollOnly bool
	// ListOwn also lists what this process and its children open, which is otherwise only counted.
	ListOwn bool
}

// Watcher watches from Start to Close. It is safe for concurrent use.
type Watcher struct {
	options  Options
	reader   *listener.Reader
	ringSize int
	// lookSoon has somebody look at all sockets before it is time.
	lookSoon chan struct{}
	ended    sync.WaitGroup

	mu sync.Mutex
	// running ends the watch; nil while there is none.
	running   context.CancelFunc
	closeErr  error
	startedAt time.Time
	tcp, udp  Coverage
	// probe is nil where nothing is watched in the kernel.
	probe *probe.Probe
	book  *book
	// lost and skipped are what the probe says of itself.
	lost, skipped uint64
	// distrust says that closings were lost since the last look.
	distrust bool
	// anew says that the nginx must be looked for before it is time.
	anew bool
}

// New does nothing before Start.
func New(o Options) *Watcher {
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}

	w := &Watcher{
		options: o, reader: listener.NewReader(o.ProcPath, o.SysPath), ringSize: probe.RingSize, lookSoon: make(chan struct{}, 1),
	}
	w.book = newBook(w.reader, 0)
	w.off("the watch has not been started")

	return w
}

func (w *Watcher) off(reason string) {
	w.tcp, w.udp = coverage(StateOff, reason, 0), coverage(StateOff, reason, 0)
}

var errRunning = errors.New("cannot start the watch of listeners: it runs already; call Close first")

// Start begins to watch, and knows all sockets when it returns; what is there then is no event. The watch ends with the
// context, or by Close. Where the kernel does not tell of sockets it polls, and Snapshot says why. It fails where neither
// can be done.
func (w *Watcher) Start(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.running != nil {
		return errRunning
	}

	own, err := ownPID(w.options.ProcPath)
	if err != nil {
		return fmt.Errorf("cannot watch listeners: %w", err)
	}

	if w.options.ListOwn {
		own = 0
	}

	w.book, w.startedAt, w.lost, w.skipped, w.distrust, w.closeErr = newBook(w.reader, own), time.Now(), 0, 0, false, nil
	w.openProbe()

	// The kernel tells by now, so that nothing is opened between the two unseen.
	l := &looker{w: w, namer: newNamer(w.reader, nil)}
	if err := l.first(ctx); err != nil {
		w.off(err.Error())

		return errors.Join(fmt.Errorf("cannot watch listeners: %w", err), w.closeProbe())
	}

	ctx, w.running = context.WithCancel(ctx)
	w.ended.Go(func() { w.run(ctx, l) })

	return nil
}

// run ends with the context.
func (w *Watcher) run(ctx context.Context, l *looker) {
	var parts sync.WaitGroup

	if p := w.probe; p != nil {
		stop := context.AfterFunc(ctx, p.Wake)
		defer stop()

		parts.Go(func() { w.records(ctx, p) })
	}

	parts.Go(func() { l.run(ctx) })
	parts.Wait()

	w.mu.Lock()
	defer w.mu.Unlock()

	w.closeErr = w.closeProbe()
	w.running = nil
	w.off("the watch was ended")
}

// Close ends the watch, after which nothing of it is left in the kernel. What it has seen can still be asked for.
func (w *Watcher) Close() error {
	w.mu.Lock()
	stop := w.running
	w.mu.Unlock()

	if stop != nil {
		stop()
	}

	w.ended.Wait()

	w.mu.Lock()
	defer w.mu.Unlock()

	return w.closeErr
}

func (w *Watcher) closeProbe() error {
	if w.probe == nil {
		return nil
	}

	err := w.probe.Close()
	w.probe = nil

	if err != nil {
		return fmt.Errorf("cannot end the watch of listeners: %w", err)
	}

	return nil
}
