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

	"zabbix-agent2-plugin-hosting/checks/slab"
)

const (
	// MinDuration and MaxDuration bound a session.
	MinDuration = 5 * time.Second
	MaxDuration = 120 * time.Second
	// MaxOwners is the largest n of Last.
	MaxOwners = 100

	defaultOneIn   = 100
	defaultCostPct = 20
)

// Options say how sessions are made. A field at zero is at its default.
type Options struct {
	ProcPath, SysPath string
	Duration          time.Duration
	// OneIn is which share of the addresses is followed; more precise and dearer the smaller it is.
	OneIn uint32
	// MaxCostPct ends a session that takes more of the processors.
	MaxCostPct float64
	// NameCgroups fills in the paths of cgroups by their ids; nil where they are not wanted.
	NameCgroups func(map[uint64]string)
}

// Monitor makes sessions, one at a time, and keeps the result of the last. It is safe for concurrent use.
type Monitor struct {
	options Options

	mu       sync.Mutex
	running  chan struct{}
	began    time.Time
	sessions uint64
	last     *Report
	err      error
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

// Session follows allocations for a while, 5 s to 120 s, and returns the result. Who comes while one runs gets that one's. errors.Is tells a missing
// permission (fs.ErrPermission) from a kernel that cannot do it (fs.ErrNotExist).
func (m *Monitor) Session(ctx context.Context, duration time.Duration) (*Report, error) {
	if duration < MinDuration || duration > MaxDuration {
		return nil, fmt.Errorf("cannot follow allocations for %s: allowed is a time from %s to %s", duration, MinDuration, MaxDuration)
	}

	done := m.Begin(ctx, duration)

	select {
	case <-done:
	case <-ctx.Done():
		// The session ends with the context, with what it has found.
		<-done
	}

	m.mu.Lock()
	defer m.mu.Unlock()

	if m.err != nil {
		return nil, m.err
	}

	r := m.last.copy(MaxOwners)
	r.Sessions = m.sessions

	return r, nil
}

// Begin starts a session, unless one runs, and returns what is closed at its end.
func (m *Monitor) Begin(ctx context.Context, duration time.Duration) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.running != nil {
		return m.running
	}

	done := make(chan struct{})
	m.running, m.began = done, time.Now()
	o := m.options
	o.Duration = duration

	go func() {
		report, err := observe(ctx, o)

		m.mu.Lock()
		defer m.mu.Unlock()

		m.sessions++
		m.running, m.err = nil, err

		if err == nil {
			m.last = report
		}

		close(done)
	}()

	return done
}

// Last is the result of the last session with its n largest owners.
func (m *Monitor) Last(n int) *Report {
	m.mu.Lock()
	defer m.mu.Unlock()

	r := &Report{Schema: schema, Owners: []Owner{}, Sentence: "no session was made yet: one starts when SUnreclaim grows fast, or by hand"}
	if m.last != nil {
		r = m.last.copy(n)
		r.AgeS = time.Since(time.UnixMilli(int64(r.StartedAt * 1000))).Seconds()
	}

	r.Sessions = m.sessions

	switch {
	case m.running != nil:
		r.State, r.Sentence = StateRunning, fmt.Sprintf("a session runs since %.0f s", time.Since(m.began).Seconds())
	case m.err != nil && errors.Is(m.err, fs.ErrNotExist):
		r.State, r.Sentence = StateUnsupported, m.err.Error()
	case m.err != nil:
		r.State, r.Sentence = StateFailed, m.err.Error()
	}

	r.StateName = r.State.String()

	return r
}

// BeganAt is when the last session began, zero before the first.
func (m *Monitor) BeganAt() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()

	return m.began
}

func (r *Report) copy(n int) *Report {
	c := *r
	shown := min(n, len(r.Owners))
	c.Owners = append([]Owner{}, r.Owners[:shown]...)
	c.OwnersOmitted = r.OwnersOmitted + len(r.Owners) - shown

	return &c
}

// observe makes one session.
func observe(ctx context.Context, o Options) (*Report, error) {
	reader := slab.NewReader(o.ProcPath, o.SysPath, nil)

	before, err := readSizes(reader)
	if err != nil {
		return nil, err
	}

	s, err := start(o)
	if err != nil {
		return nil, err
	}
	defer s.close()

	if err := s.run(ctx); err != nil {
		return nil, err
	}

	lasted := time.Since(s.begun)
	s.detach()

	after, err := readSizes(reader)
	if err != nil {
		return nil, err
	}

	counted, err := s.maps.count()
	if err != nil {
		return nil, err
	}

	r := &Report{
		Schema: schema, State: StateDone, StartedAt: float64(s.begun.UnixMilli()) / 1000, DurationS: lasted.Seconds(), OneIn: s.scale(),
		CostPct: costPct(counted, lasted), Events: counted.Events,
		NotFollowed: counted.Full, NoStack: counted.NoStack, BulkFreeings: s.bulk,
		SUnreclaimGrowthBytes: growth(before.sunreclaim, after.sunreclaim), Owners: []Owner{},
	}

	if before.unattributed != nil && after.unattributed != nil {
		r.UnattributedGrowthBytes = new(growth(*before.unattributed, *after.unattributed))
	}

	if s.cut != "" {
		r.State, r.Sentence = StateCutShort, s.cut
	}

	r.StateName = r.State.String()

	return r, r.fill(s, &before, &after, MaxOwners)
}
