package slab

import "time"

// clock tells the time of day and, apart from it, a time that no one can set.
type clock struct {
	wall      func() time.Time
	monotonic func() time.Duration
}

func systemClock() clock {
	start := time.Now()

	return clock{wall: time.Now, monotonic: func() time.Duration { return time.Since(start) }}
}
