package site

import (
	"context"
	"time"
)

const (
	// lateShare of the interval is how late a probe may start without being counted.
	lateShare = 10
	minLate   = 50 * time.Millisecond
)

// schedule is a site's own timer, under the monitor's lock.
type schedule struct {
	timer   *time.Timer
	planned time.Time
	running bool
}

func (s *schedule) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// plan has the next probe start at a time. The monitor is locked. A timer costs no goroutine while it waits.
func (m *Monitor) plan(w *watched, at time.Time) {
	w.schedule.planned = at

	if wait := time.Until(at); w.schedule.timer == nil {
		w.schedule.timer = time.AfterFunc(wait, func() { m.fire(w) })
	} else {
		w.schedule.timer.Reset(wait)
	}
}

// fire runs in the timer's own goroutine, and the probe with it.
func (m *Monitor) fire(w *watched) {
	if !m.begin(w) {
		return
	}
	defer m.probes.Done()

	result := w.attempt(m.ctx)

	m.mu.Lock()
	w.schedule.running = false
	m.mu.Unlock()

	if m.ctx.Err() == nil {
		w.mu.Lock()
		w.state.count(result, time.Now())
		w.mu.Unlock()
	}
}

// attempt probes, and counts a panic as a probe that was not made.
func (w *watched) attempt(ctx context.Context) *Result {
	start := time.Now()

	result, err := guarded(func() (*Result, error) { return w.probe(ctx), nil })
	if err != nil {
		return notMade(start, time.Since(start), faultSentence(shownURL(w.Target.URL), phaseOther, err))
	}

	return result
}

// begin plans the next start from the planned time of this one, so that delays do not add up. It is false where the last
// probe still runs or the monitor has been stopped.
func (m *Monitor) begin(w *watched) bool {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.stopped {
		return false
	}

	late, skipped := lateness(time.Since(w.schedule.planned), w.Interval)
	busy := w.schedule.running

	m.plan(w, w.schedule.planned.Add(w.Interval*time.Duration(1+skipped)))

	w.mu.Lock()
	defer w.mu.Unlock()

	w.state.late += skipped

	if busy {
		w.state.overlapping++

		return false
	}

	if late {
		w.state.late++
	}

	w.schedule.running = true
	m.probes.Add(1)

	return true
}

// lateness tells whether a delay counts, and how many whole intervals it has let pass.
func lateness(delay, interval time.Duration) (late bool, skipped uint64) {
	return delay > max(interval/lateShare, minLate), uint64(max(0, delay/interval))
}
