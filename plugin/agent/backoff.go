package agent

import "time"

const (
	firstDelay = 20 * time.Millisecond
	// A worker that worked for a while and died is needed again at once; one that dies at each start is not.
	maxDelayReady    = 300 * time.Millisecond
	maxDelayNotReady = 30 * time.Second
	// A worker that lived this long starts the count anew.
	longLife = 10 * time.Second
)

// backoff says how long to wait before the next worker is started. The two kinds of death are counted apart: a worker
// that is killed while it starts, after many that worked, is no sign that none can start.
type backoff struct {
	deaths   int
	unusable int // deaths in a row of workers that never were ready
}

func (b *backoff) next(lived time.Duration, ready bool) time.Duration {
	if lived >= longLife {
		b.deaths = 0
	}

	if ready {
		b.unusable = 0
	} else {
		b.unusable++
	}

	b.deaths++

	if ready {
		return doubled(b.deaths, maxDelayReady)
	}

	return doubled(b.unusable, maxDelayNotReady)
}

// doubled is the first delay, doubled for each time but the first, up to a limit.
func doubled(times int, limit time.Duration) time.Duration {
	if times > 16 {
		return limit
	}

	return min(limit, firstDelay<<(times-1))
}
