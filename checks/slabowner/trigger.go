package slabowner

import (
	"cmp"
	"slices"
	"time"
)

// Trigger decides when a session is worth what it costs: SUnreclaim has grown fast for a while, and the last session is long ago. A field at zero is at
// its default. It is not safe for concurrent use.
type Trigger struct {
	// BytesPerMinute is how fast is fast, 8 MiB by default: what leaks more slowly stays below the noise of the longest session.
	BytesPerMinute uint64
	// Window is how long it must last, 5 minutes by default, so that the start of a large program is no reason.
	Window time.Duration
	// Every is the shortest time from one session to the next, 1 hour by default.
	Every time.Duration

	samples []sample
	began   time.Duration
	was     bool
}

// sample is SUnreclaim at one time, that of a clock which is never set.
type sample struct {
	at    time.Duration
	bytes uint64
}

const (
	defaultBytesPerMinute = 8 << 20
	defaultWindow         = 5 * time.Minute
	defaultEvery          = time.Hour
	// samplesPerWindow bounds what is kept where samples come often.
	samplesPerWindow = 60
)

// Due takes the size of SUnreclaim at a time of a clock that is never set, such as the time since the process began, and says whether a session should
// begin now. It says so again until one has: Began tells.
func (t *Trigger) Due(now time.Duration, sunreclaim uint64) bool {
	window := cmp.Or(t.Window, defaultWindow)

	if last := len(t.samples) - 1; last >= 0 && now < t.samples[last].at {
		t.samples = nil
	}

	// The newest of those at least a window old is the one to compare with.
	for len(t.samples) > 1 && now-t.samples[1].at >= window {
		t.samples = slices.Delete(t.samples, 0, 1)
	}

	reached := len(t.samples) > 0 && now-t.samples[0].at >= window && t.fast(now, sunreclaim)

	if last := len(t.samples) - 1; last < 0 || now-t.samples[last].at >= window/samplesPerWindow {
		t.samples = append(t.samples, sample{now, sunreclaim})
	}

	return reached && (!t.was || now-t.began >= cmp.Or(t.Every, defaultEvery))
}

// Began takes down that a session was started, at a time of the clock of Due.
func (t *Trigger) Began(now time.Duration) { t.was, t.began = true, now }

// fast tells whether the growth since the oldest sample is one that lasts: in the first half of the time, and in the second.
func (t *Trigger) fast(now time.Duration, sunreclaim uint64) bool {
	oldest := t.samples[0]
	middle := oldest

	for _, one := range t.samples {
		if one.at-oldest.at <= (now-oldest.at)/2 {
			middle = one
		}
	}

	return t.exceeded(oldest, middle) && t.exceeded(middle, sample{now, sunreclaim})
}

func (t *Trigger) exceeded(from, to sample) bool {
	grown := float64(to.bytes) - float64(from.bytes)

	return grown >= float64(cmp.Or(t.BytesPerMinute, defaultBytesPerMinute))*(to.at-from.at).Minutes()
}
