package site

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// The histograms' range and precision, in microseconds.
	leastTime = 10
	mostTime  = 600 * 1_000_000
	digits    = 2

	shortSlot  = time.Minute
	shortSlots = 5
	longSlot   = 10 * time.Minute
	longSlots  = 6
)

// slot holds the times of one part of a window. A histogram is made with its first value: the rest takes no memory.
type slot struct {
	number      int64
	total, wait *hdr.PackedHistogram
}

// windows holds the last 5 minutes and the last hour, successes apart from failures. Beside the whole slots of a window
// there is the one that is being filled, so that a window is up to a slot longer than its name.
type windows struct {
	start      time.Time
	ok, failed *span
}

// span is both windows of the successes or of the failures.
type span struct {
	short [shortSlots + 1]slot
	long  [longSlots + 1]slot
}

// record takes the time of day of now for nothing: only the monotonic clock counts.
func (w *windows) record(now time.Time, r *Result) {
	side := &w.ok
	if r.Reason != ReasonOK {
		side = &w.failed
	}

	if *side == nil {
		*side = &span{}
	}

	age := now.Sub(w.start)
	slotAt((*side).short[:], age, shortSlot).record(r)
	slotAt((*side).long[:], age, longSlot).record(r)
}

// slotAt returns the slot of now, empty where it was another's.
func slotAt(slots []slot, age, length time.Duration) *slot {
	number := int64(age / length)

	s := &slots[number%int64(len(slots))]
	if s.number != number {
		// The slot before this one is complete and needs no room to grow.
		slots[(number+int64(len(slots))-1)%int64(len(slots))].compact()
		*s = slot{number: number}
	}

	return s
}

func (s *slot) compact() {
	if s.total != nil {
		s.total.Compact()
	}

	if s.wait != nil {
		s.wait.Compact()
	}
}

func (s *slot) record(r *Result) {
	s.total = record(s.total, r.TotalS)

	// A probe that never waited for an answer says nothing about the wait.
	if r.Phases.WaitS > 0 {
		s.wait = record(s.wait, r.Phases.WaitS)
	}
}

func record(h *hdr.PackedHistogram, seconds float64) *hdr.PackedHistogram {
	if h == nil {
		h = hdr.NewPacked(leastTime, mostTime, digits)
	}

	// The range is longer than any timeout, and what is bounded by it cannot be out of it.
	_ = h.RecordValue(min(int64(seconds*1e6), mostTime))

	return h
}

// Quantiles are of the times of probes, in seconds.
type Quantiles struct {
	P50S float64 `json:"p50_s"`
	P90S float64 `json:"p90_s"`
	P99S float64 `json:"p99_s"`
	MaxS float64 `json:"max_s"`
}

// Side is the successes or the failures of a window.
type Side struct {
	Count int64 `json:"count"`
	// Total is nil while Count is 0, and Wait while no probe has waited for an answer.
	Total *Quantiles `json:"total,omitempty"`
	Wait  *Quantiles `json:"wait,omitempty"`
}

// Window is the last 5 minutes or hour.
type Window struct {
	OK     Side `json:"ok"`
	Failed Side `json:"failed"`
}

// report returns the windows by their names.
func (w *windows) report(now time.Time) map[string]Window {
	age := now.Sub(w.start)
	short := Window{OK: w.ok.side(age, true), Failed: w.failed.side(age, true)}
	long := Window{OK: w.ok.side(age, false), Failed: w.failed.side(age, false)}

	return map[string]Window{"5m": short, "1h": long}
}

func (s *span) side(age time.Duration, short bool) Side {
	if s == nil {
		return Side{}
	}

	slots, length := s.long[:], longSlot
	if short {
		slots, length = s.short[:], shortSlot
	}

	oldest := int64(age/length) - int64(len(slots)) + 1
	total, wait := hdr.NewPacked(leastTime, mostTime, digits), hdr.NewPacked(leastTime, mostTime, digits)

	for i := range slots {
		if slots[i].number < oldest {
			continue
		}

		// All have the same range, so that nothing is dropped.
		if slots[i].total != nil {
			total.Merge(slots[i].total)
		}

		if slots[i].wait != nil {
			wait.Merge(slots[i].wait)
		}
	}

	return Side{Count: total.TotalCount(), Total: quantiles(total), Wait: quantiles(wait)}
}

func quantiles(h *hdr.PackedHistogram) *Quantiles {
	if h.TotalCount() == 0 {
		return nil
	}

	at := h.ValueAtPercentilesSlice([]float64{50, 90, 99, 100})

	return &Quantiles{P50S: microseconds(at[0]), P90S: microseconds(at[1]), P99S: microseconds(at[2]), MaxS: microseconds(at[3])}
}
