package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	defaultInterval = 5 * time.Second
	minInterval     = 200 * time.Millisecond
	maxInterval     = time.Hour
	// spreadLimit is over how long the first starts are spread at most.
	spreadLimit = time.Minute
	// stopLimit is how long Stop waits for probes.
	stopLimit = time.Second
	// namesShown bounds the names in an error.
	namesShown = 20
)

// ErrUnknownSite is what Report fails with for a name that is not configured.
var ErrUnknownSite = errors.New("unknown site")

// Site is a target on a schedule.
type Site struct {
	// Name is unique among a Monitor's sites; of several with one name the last is taken.
	Name   string
	Target Target
	// Interval is from the start of one probe to that of the next, within 200 ms and 1 h; 5 s where it is not positive.
	Interval time.Duration
}

// Monitor probes sites on their schedules and keeps the counts. It is safe for concurrent use.
type Monitor struct {
	sites  []*watched
	byName map[string]*watched

	mu      sync.Mutex
	ctx     context.Context
	cancel  context.CancelFunc
	started bool
	stopped bool
	probes  sync.WaitGroup
}

// watched is a site with what is known of it.
type watched struct {
	Site
	probe    func(context.Context) *Result
	schedule schedule

	mu    sync.Mutex
	state state
}

// NewMonitor prepares the sites; Start starts their probes.
func NewMonitor(sites []Site) *Monitor {
	m := &Monitor{byName: make(map[string]*watched, len(sites))}
	now := time.Now()

	for _, s := range sites {
		if s.Interval <= 0 {
			s.Interval = defaultInterval
		}

		s.Interval = min(max(s.Interval, minInterval), maxInterval)
		m.byName[s.Name] = &watched{Site: s, probe: NewProber(s.Target).Probe, state: newState(now)}
	}

	for _, w := range m.byName {
		m.sites = append(m.sites, w)
	}

	slices.SortFunc(m.sites, func(a, b *watched) int { return strings.Compare(a.Name, b.Name) })

	return m
}

// Start starts the probes, spread over each site's interval. It does nothing the second time, or after Stop.
func (m *Monitor) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.started || m.stopped {
		return
	}

	m.started = true
	m.ctx, m.cancel = context.WithCancel(context.Background())
	now := time.Now()

	for i, w := range m.sites {
		w.mu.Lock()
		w.state.startedAt = now.Unix()
		w.mu.Unlock()

		// A site that is probed once an hour has its first result within a minute, too.
		m.plan(w, now.Add(min(w.Interval, spreadLimit)*time.Duration(i)/time.Duration(len(m.sites))))
	}
}

// Stop cancels all probes and waits, 1 s at most, until they are gone. What they would have found is not counted. A
// stopped monitor still reports and cannot be started again.
func (m *Monitor) Stop() {
	m.mu.Lock()
	m.stopped = true

	if m.started {
		m.cancel()

		for _, w := range m.sites {
			w.schedule.stop()
		}
	}
	m.mu.Unlock()

	gone := make(chan struct{})
	go func() {
		m.probes.Wait()
		close(gone)
	}()

	limit := time.NewTimer(stopLimit)
	defer limit.Stop()

	select {
	case <-gone:
	case <-limit.C:
	}
}

// Names returns the sites' names, sorted.
func (m *Monitor) Names() []string {
	names := make([]string, len(m.sites))
	for i, w := range m.sites {
		names[i] = w.Name
	}

	return names
}

// Discovered is a row of hosting.site.discovery.
type Discovered struct {
	Site string `json:"{#SITE}"`
	URL  string `json:"{#URL}"`
}

// Discover returns a row for each site in the order of their names, and never nil.
func (m *Monitor) Discover() []Discovered {
	rows := make([]Discovered, len(m.sites))
	for i, w := range m.sites {
		rows[i] = Discovered{Site: w.Name, URL: shownURL(w.Target.URL)}
	}

	return rows
}

func (m *Monitor) unknown(name string) error {
	known := "there are none"
	if names := m.Names(); len(names) > namesShown {
		known = fmt.Sprintf("%s and %d more", strings.Join(names[:namesShown], ", "), len(names)-namesShown)
	} else if len(names) > 0 {
		known = strings.Join(names, ", ")
	}

	return fmt.Errorf("cannot report on %q: %w; use one of the configured sites: %s", capText(name, textLimit), ErrUnknownSite, known)
}
