package slab

import (
	"fmt"
	"sync"
	"time"
)

const (
	// MaxTop is the largest n of Get and Discover.
	MaxTop = 1000

	defaultWindow = time.Hour
)

// Tracker answers questions about the caches and remembers their sizes to tell growth. It is safe for concurrent use.
type Tracker struct {
	mu        sync.Mutex
	reader    *Reader
	history   *history
	discovery *discovery
}

// NewTracker reads as NewReader does, and tells growth over window; over an hour where that is not positive.
func NewTracker(procPath, sysPath string, source Source, window time.Duration) *Tracker {
	return newTracker(procPath, sysPath, source, window, systemClock())
}

func newTracker(procPath, sysPath string, source Source, window time.Duration, clock clock) *Tracker {
	if window <= 0 {
		window = defaultWindow
	}

	return &Tracker{
		reader:    newReader(procPath, sysPath, source, clock),
		history:   newHistory(window),
		discovery: newDiscovery(),
	}
}

// Get reads the caches and builds the payload of hosting.slab.get with the first n of them. It fails where n is not
// within 1 and MaxTop and where Reader.Read fails.
func (t *Tracker) Get(n int, by Sort) (*Report, error) {
	if err := validTop(n); err != nil {
		return nil, err
	}

	t.mu.Lock()
	defer t.mu.Unlock()

	now, err := t.read()
	if err != nil {
		return nil, err
	}

	r := newReport(now.snapshot)
	r.Growth = now.growth
	r.Fastest = fastest(now.bySize)
	t.watch(r, now.bySize, n)

	caches := now.bySize
	by.order(caches)

	r.Top = make([]Top, min(n, len(caches)))
	for i := range r.Top {
		r.Top[i] = caches[i].top(i+1, r.SlabBytes, t.reader.table.pageSize)
	}

	return r, nil
}

// Discover reads the caches and returns the rows of hosting.slab.discovery, sorted by name: who is among the n largest,
// and who was and is not long gone from the 2n largest. It fails as Get does.
func (t *Tracker) Discover(n int) ([]Discovered, error) {
	if err := validTop(n); err != nil {
		return nil, err
	}

	t.mu.Lock()
	defer t.mu.Unlock()

	now, err := t.read()
	if err != nil {
		return nil, err
	}

	return t.discovery.discover(n, now.bySize, now.snapshot.monotonic), nil
}

// Sample reads the caches so that there is a history though nobody asks. It does nothing where the last reading is
// younger than a step of the history.
func (t *Tracker) Sample() error {
	t.mu.Lock()
	defer t.mu.Unlock()

	if !t.history.due(t.reader.clock.monotonic()) {
		return nil
	}

	_, err := t.read()

	return err
}

// reading is a snapshot with what the history makes of it.
type reading struct {
	snapshot *Snapshot
	bySize   []measured
	growth   *Growth
}

// read reads the caches and remembers them where a step of the history has passed.
func (t *Tracker) read() (*reading, error) {
	s, err := t.reader.Read()
	if err != nil {
		return nil, err
	}

	now := &reading{
		snapshot: s,
		bySize:   make([]measured, len(s.Caches)),
		growth:   t.history.totalGrowth(s),
	}

	oldest := t.history.oldest(s.monotonic)
	for i := range s.Caches {
		c := &s.Caches[i]
		now.bySize[i] = measured{Cache: c, growth: t.history.cacheGrowth(c, oldest, s.monotonic)}
	}

	SortSize.order(now.bySize)

	if t.history.due(s.monotonic) {
		t.history.record(s)
		t.discovery.observe(now.bySize, s.monotonic)
	}

	return now, nil
}

func (t *Tracker) watch(r *Report, bySize []measured, n int) {
	discovered := t.discovery.names()
	if len(discovered) == 0 {
		for _, m := range bySize[:min(3*n, len(bySize))] {
			r.Watched[m.Name] = m.watched()
		}

		return
	}

	for name, row := range discovered {
		r.Watched[name] = Watched{Reclaimable: row.reclaimable()}
	}

	for _, m := range bySize {
		if _, ok := discovered[m.Name]; ok {
			r.Watched[m.Name] = m.watched()
		}
	}
}

func validTop(n int) error {
	if n < 1 || n > MaxTop {
		return fmt.Errorf("cannot list %d caches: ask for 1 to %d", n, MaxTop)
	}

	return nil
}
