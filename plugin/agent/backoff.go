package agent

import "time"

const (
	firstDelay = 20 * time.Millisecond
	// A worker that worked for a while and died is needed again at once; one that dies at each start is not.
	maxDelayReady    = 500 * time.Millisecond
	maxDelayNotReady = 30 * time.Second
	// A worker that lived this long starts the count anew.
	longLife = 10 * time.Second
)

// backoff says how long to wait before the next worker is started.
type backoff struct {
	deaths int
}

func (b *backoff) next(lived time.Duration, ready bool) time.Duration {
	if lived >= longLife {
		b.deaths = 0
	}

	limit := maxDelayNotReady
	if ready {
		limit = maxDelayReady
	}

	delay := limit
	if b.deaths < 16 {
		delay = min(limit, firstDelay<<b.deaths)
	}

	b.deaths++

	return delay
}
