// Package watches holds what looks at a host for longer than one request: who listens, who allocates slab memory, and who is killed for memory. The helper has one, and so
// has a plugin that is root itself.
package watches

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/kernelsource"
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
)

// Options say what is watched.
type Options struct {
	ProcPath, SysPath, KmsgPath string
	// Masters finds the nginx whose clients nobody else may take.
	Masters func(context.Context) ([]listener.Master, error)
	// Listeners is false where the administrator does not want them watched.
	Listeners bool
	// Kills is false where the administrator does not want the OOM killer watched; its victims are in the kernel log still.
	Kills bool
	// SessionTime is how long a session of slab owners lasts, SessionEvery the shortest time from one to the next that starts by itself.
	SessionTime, SessionEvery time.Duration
	// SessionCPUPct is how much of all processors one may take.
	SessionCPUPct int
	// Source finds the lines of kernel stacks.
	Source *kernelsource.Finder

	lingering time.Duration
}

// lingering is how long listeners are watched after the last question: items are polled more often, and who asked once, as a person does, is served.
const lingering = time.Hour

// Watches does nothing before it is asked. It is safe for concurrent use.
type Watches struct {
	options   Options
	listeners *watch.Watcher
	owners    *slabowner.Monitor
	kills     *oom.Tracker

	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	watching bool
	// forget ends the watch when nobody has asked for a while since the last question, by its number.
	forget   *time.Timer
	question uint64
	// sessionAt is when a session last began by itself.
	sessionAt time.Time
}

// New starts nothing. Close ends what has been started.
func New(o Options) *Watches {
	if o.lingering == 0 {
		o.lingering = lingering
	}

	w := &Watches{options: o}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.listeners = watch.New(watch.Options{ProcPath: o.ProcPath, SysPath: o.SysPath, Masters: o.Masters})
	names := cgroup.NewNames(func() string { return cgroup.Unified(o.SysPath) })
	w.owners = slabowner.NewMonitor(slabowner.Options{
		ProcPath: o.ProcPath, SysPath: o.SysPath, Source: o.Source, MaxCostPct: float64(o.SessionCPUPct),
		NameCgroups: names.Paths,
	})

	w.kills = oom.NewTracker(oom.Options{ProcPath: o.ProcPath, SysPath: o.SysPath, KmsgPath: o.KmsgPath, Watch: o.Kills})

	return w
}

// Close ends the watches and leaves nothing in the kernel.
func (w *Watches) Close() error {
	w.cancel()

	return errors.Join(w.listeners.Close(), w.kills.Close())
}

// Busy tells that something is watched, so that this process must not end because nobody asks. The kills need no process that nobody asks: they are
// counted by the kernel, and in its log.
func (w *Watches) Busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.watching || w.owners.Running()
}

// Listeners tells who began and ceased to listen since somebody first asked: the watch starts then, and ends when nobody has asked for an hour.
func (w *Watches) Listeners() (*watch.Events, error) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.options.Listeners && !w.watching {
		if err := w.listeners.Start(w.ctx); err != nil {
			return nil, err
		}

		w.watching = true
	}

	if w.watching {
		w.linger()
	}

	return w.listeners.Snapshot(), nil
}

// linger has the watch of listeners end when nobody asks again for a while.
func (w *Watches) linger() {
	if w.forget != nil {
		w.forget.Stop()
	}

	w.question++
	question := w.question
	w.forget = time.AfterFunc(w.options.lingering, func() { w.unwatch(question) })
}

// unwatch ends the watch of listeners, unless somebody has asked since that question; the next one begins another.
func (w *Watches) unwatch(question uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if question != w.question {
		return
	}

	// Who watches next is told if something of it is left in the kernel.
	_ = w.listeners.Close()
	w.watching = false
}

// Kills are the kills of the OOM killer, of which the kernel tells from the first question on.
func (w *Watches) Kills() (*oom.Report, error) { return w.kills.Get() }

// Owners is the last session's result with its n largest owners.
func (w *Watches) Owners(n int) *slabowner.Report { return w.owners.Last(n) }

// Session follows allocations for a while, for a person who waits for the result.
func (w *Watches) Session(ctx context.Context, duration time.Duration) (*slabowner.Report, error) {
	return w.owners.Session(ctx, duration)
}

// Begun tells whether a session was started.
type Begun struct {
	Schema   int    `json:"schema"`
	Started  bool   `json:"started"`
	Sentence string `json:"sentence"`
}

// Begin starts a session, unless the last that began so is too young.
func (w *Watches) Begin() Begun {
	w.mu.Lock()
	defer w.mu.Unlock()

	if age := time.Since(w.sessionAt); !w.sessionAt.IsZero() && age < w.options.SessionEvery {
		return Begun{Schema: 1, Sentence: fmt.Sprintf("the last session began %s ago; the next may begin %s after it",
			age.Round(time.Second), w.options.SessionEvery)}
	}

	w.sessionAt = time.Now()

	// What comes of it is in the next Owners.
	go func() { _, _ = w.owners.Session(w.ctx, w.options.SessionTime) }()

	return Begun{Schema: 1, Started: true}
}
