// Package load asks servers on loopback addresses as fast as they answer, or at a steady rate, and counts how their clients fare.
// Everything is bounded: clients, requests, time and memory.
package load

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

const (
	defaultNumber = 64
	maxNumber     = 1024
	defaultLimit  = 30 * time.Second
	// sources is how many addresses clients are spread over.
	sources = 200
)

// run is what all kinds of clients have in common: they go on until they are stopped or the time is over.
type run struct {
	stopped  chan struct{}
	stopOnce sync.Once
	limit    time.Time
	done     chan struct{}
	// elapsed may be read when done is closed.
	elapsed time.Duration
}

// start starts the clients, each of which ends when over says so.
func start(number int, limit time.Duration, client func(r *run, index int)) *run {
	if limit <= 0 {
		limit = defaultLimit
	}
	began := time.Now()
	r := &run{stopped: make(chan struct{}), limit: began.Add(limit), done: make(chan struct{})}
	var clients sync.WaitGroup
	for i := range number {
		clients.Go(func() { client(r, i) })
	}
	go func() {
		clients.Wait()
		r.elapsed = time.Since(began)
		close(r.done)
	}()
	return r
}

// end has the clients finish what they are at, and waits for them.
func (r *run) end() {
	r.stopOnce.Do(func() { close(r.stopped) })
	<-r.done
}

func (r *run) over() bool {
	select {
	case <-r.stopped:
		return true
	default:
		return time.Now().After(r.limit)
	}
}

// pause waits, unless the run is stopped before.
func (r *run) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-r.stopped:
	case <-time.After(d):
	}
}

// clientsFor returns how many clients an address gets, which must be a loopback one.
func clientsFor(address string, number int) (int, error) {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !target.Addr().Is4() || !target.Addr().IsLoopback() {
		return 0, fmt.Errorf("cannot put load on %q: it is no port of 127.0.0.0/8; start the server there", address)
	}
	if number <= 0 {
		number = defaultNumber
	}
	return min(number, maxNumber), nil
}

func source(client int) net.IP { return net.IPv4(127, 0, 1, byte(client%sources+1)) }

// endAtEnd has a test end what it started.
func endAtEnd[R interface{ end() }](tb testing.TB, started R, err error) R {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(started.end)
	return started
}
