// Package slabowner tells who allocates slab memory and does not free it: it follows a share of all allocations for a while, by the kernel's
// tracepoints, and names the cache, the program and the code path of what is outstanding then. Nothing runs between the sessions.
package slabowner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
)

const (
	// MinDuration is the shortest session, and MaxDuration the longest.
	MinDuration = 5 * time.Second
	// MaxDuration keeps the host from being slowed down for long.
	MaxDuration = 120 * time.Second
	// MaxOwners is the largest n of Last.
	MaxOwners = 100

	defaultOneIn   = 100
	defaultCostPct = 20
)

// Options say how sessions are made. A field at zero is at its default.
type Options struct {
	ProcPath, SysPath string
	// OneIn is which share of the addresses is followed, 1 in 100 by default; the smaller it is, the more precise and the dearer.
	OneIn uint32
	// MaxCostPct ends a session that takes more of all processors, 20 by default.
	MaxCostPct float64
	// NameCgroups fills in the paths of cgroups by their ids; nil where they are not wanted.
	NameCgroups func(map[uint64]string)
	// Source finds the lines of stacks; nil where they are not wanted.
	Source *kernelsource.Finder
}

// Monitor makes sessions, one at a time, and keeps the result of the last. It is safe for concurrent use.
type Monitor struct {
	options Options
	// tried is done when it is known whether a session could be made.
	tried sync.Once

	mu       sync.Mutex
	running  *attempt // nil between the sessions
	began    time.Time
	sessions uint64
	last     *Report
	err      error
}

// attempt is one session of a Monitor. What it holds beside done may be read when done is closed.
type attempt struct {
	done     chan struct{}
	number   uint64
	report   *Report
	err      error
	duration time.Duration
}

// NewMonitor does nothing before the first session.
func NewMonitor(o Options) *Monitor {
	if o.OneIn == 0 {
		o.OneIn = defaultOneIn
	}

	if o.MaxCostPct == 0 {
		o.MaxCostPct = defaultCostPct
	}

	return &Monitor{options: o}
}

// Session follows allocations for a while, 5 s to 120 s, and returns the result; when the context ends before, with what was found until then. Who
// comes while another's session runs gets that one's result, or an error when the context ends before. errors.Is tells a missing permission
// (fs.ErrPermission) from a kernel that cannot do it (fs.ErrNotExist).
func (m *Monitor) Session(ctx context.Context, duration time.Duration) (*Report, error) {
	if err := check(duration); err != nil {
		return nil, err
	}

	one, own := m.begin(ctx, duration)

	select {
	case <-one.done:
	case <-ctx.Done():
		if !own {
			return nil, fmt.Errorf("cannot wait for the session that runs: %w; ask for its result later", context.Cause(ctx))
		}

		<-one.done
	}

	if one.err != nil {
		return nil, one.err
	}

	r := one.report.First(MaxOwners)
	r.Sessions = one.number

	return r, nil
}

func check(duration time.Duration) error {
	if duration < MinDuration || duration > MaxDuration {
		return fmt.Errorf("cannot follow allocations for %s: allowed is a time from %s to %s", duration, MinDuration, MaxDuration)
	}

	return nil
}

// begin returns the session that runs, and whether it is the caller's own.
func (m *Monitor) begin(ctx context.Context, duration time.Duration) (one *attempt, own bool) {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.running != nil {
		return m.running, false
	}

	m.sessions++
	one = &attempt{done: make(chan struct{}), number: m.sessions, duration: duration}
	m.running, m.began = one, time.Now()

	go m.make(ctx, one)

	return one, true
}

func (m *Monitor) make(ctx context.Context, one *attempt) {
	one.report, one.err = observe(ctx, m.options, one.duration)

	m.mu.Lock()
	defer m.mu.Unlock()

	m.running, m.err = nil, one.err

	if one.err == nil {
		m.last = one.report
	}

	close(one.done)
}

// Running tells whether there is a session now.
func (m *Monitor) Running() bool {
	m.mu.Lock()
	defer m.mu.Unlock()

	return m.running != nil
}

// try makes known what would keep the first session from being made, before it is needed.
func (m *Monitor) try() {
	err := try(m.options)

	m.mu.Lock()
	defer m.mu.Unlock()

	if m.sessions == 0 {
		m.err = err
	}
}

// Last is the result of the last session with its n largest owners. It is there still while another runs, and when that one fails. Where there was
// none yet, it says what would keep one from being made.
func (m *Monitor) Last(n int) *Report {
	m.tried.Do(m.try)

	m.mu.Lock()
	defer m.mu.Unlock()

	r := &Report{Schema: schema, Owners: []Owner{}, Sentence: "no session was made yet: one starts when SUnreclaim grows fast, or by hand"}
	if m.last != nil {
		r = m.last.First(n)
		r.AgeS = time.Since(time.UnixMilli(int64(r.StartedAt * 1000))).Seconds()
	}

	r.Sessions = m.sessions

	switch {
	case m.running != nil:
		r.State, r.Sentence = StateRunning, fmt.Sprintf("a session runs since %.0f s", time.Since(m.began).Seconds())
	case errors.Is(m.err, fs.ErrNotExist):
		r.State, r.Sentence = StateUnsupported, m.err.Error()
	case m.err != nil:
		r.State, r.Sentence = StateFailed, m.err.Error()
	}

	r.StateName = r.State.String()

	return r
}
