package slab

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// historySteps is how many parts the window of the history has; there is a point at each end.
	historySteps = 60
	maxPoints    = historySteps + 1
	// maxSeries bounds the memory at 2 MB, whatever the kernel lists.
	maxSeries = 4096
	// minGrowthAge is the shortest time over which growth is told.
	minGrowthAge = 120 * time.Second
)

// history holds the sizes of the caches over the last window, at most one point a step.
type history struct {
	window time.Duration
	points [maxPoints]point
	// count is the number of points ever recorded; point i is in place i % maxPoints.
	count  int
	series map[string]*series
}

type point struct {
	at                       time.Duration
	sunreclaim, sreclaimable uint64
	unattributed             *uint64
}

// series is one cache from point number first on without a gap.
type series struct {
	first, last int
	sizes       [maxPoints]uint64
}

func newHistory(window time.Duration) *history {
	return &history{window: window, series: map[string]*series{}}
}

// due says whether a point may be recorded. It may come a little early, or else a timer that is late once would leave
// out every second point.
func (h *history) due(now time.Duration) bool {
	step := h.window / historySteps

	return h.count == 0 || now-h.points[(h.count-1)%maxPoints].at >= step-step/10
}

func (h *history) record(s *Snapshot) {
	sequence := h.count
	place := sequence % maxPoints
	h.points[place] = point{
		at:           s.monotonic,
		sunreclaim:   s.sunreclaim(),
		sreclaimable: s.sreclaimable(),
		unattributed: s.unattributed(),
	}
	h.count++

	caches := largest(s.Caches, maxSeries)
	for i := range caches {
		one := h.series[caches[i].Name]
		if one == nil {
			one = &series{first: sequence}
			h.series[caches[i].Name] = one
		}

		one.last = sequence
		one.sizes[place] = caches[i].SizeBytes
	}

	for name, one := range h.series {
		if one.last != sequence {
			delete(h.series, name)
		}
	}
}

// largest returns at most n caches, those with the most memory.
func largest(caches []Cache, n int) []Cache {
	if len(caches) <= n {
		return caches
	}

	bySize := slices.Clone(caches)
	slices.SortFunc(bySize, func(a, b Cache) int { return cmp.Compare(b.SizeBytes, a.SizeBytes) })

	return bySize[:n]
}

// oldest is the number of the first point that lies within the window.
func (h *history) oldest(now time.Duration) int {
	sequence := max(0, h.count-maxPoints)
	for sequence < h.count && now-h.points[sequence%maxPoints].at > h.window {
		sequence++
	}

	return sequence
}

// since returns point number sequence and its age; false where it is too young to tell growth from.
func (h *history) since(sequence int, now time.Duration) (point, time.Duration, bool) {
	if sequence >= h.count {
		return point{}, 0, false
	}

	p := h.points[sequence%maxPoints]
	age := now - p.at

	return p, age, age >= minGrowthAge
}

// totalGrowth is the growth of the totals; nil while the history is too young.
func (h *history) totalGrowth(s *Snapshot) *Growth {
	p, age, ok := h.since(h.oldest(s.monotonic), s.monotonic)
	if !ok {
		return nil
	}

	g := &Growth{
		WindowS:                  float64(age.Milliseconds()) / 1000,
		SUnreclaimBytesPerHour:   perHour(p.sunreclaim, s.sunreclaim(), age),
		SReclaimableBytesPerHour: perHour(p.sreclaimable, s.sreclaimable(), age),
	}

	if now := s.unattributed(); now != nil && p.unattributed != nil {
		g.UnattributedBytesPerHour = new(perHour(*p.unattributed, *now, age))
	}

	return g
}

// cacheGrowth is the growth of one cache in bytes per hour; nil while it is too young.
func (h *history) cacheGrowth(c *Cache, oldest int, now time.Duration) *int64 {
	one := h.series[c.Name]
	if one == nil {
		return nil
	}

	first := max(oldest, one.first)

	_, age, ok := h.since(first, now)
	if !ok {
		return nil
	}

	return new(perHour(one.sizes[first%maxPoints], c.SizeBytes, age))
}

func perHour(from, to uint64, age time.Duration) int64 {
	rate := (float64(to) - float64(from)) / age.Hours()

	return int64(math.Round(max(math.MinInt64/2, min(math.MaxInt64/2, rate))))
}
