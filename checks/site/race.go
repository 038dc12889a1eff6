package site

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// attempt is one address in a race.
type attempt struct {
	address netip.AddrPort
	begin   time.Time
	took    time.Duration
	over    bool
	conn    net.Conn
	err     error
}

// race tries several addresses as browsers do: the next one begins when the last has failed or has taken long, and the
// first connection wins. So one dead address costs a little time, which the result tells, and never the whole probe.
type race struct {
	hop       *hop
	addresses []netip.AddrPort
	start     time.Time
	// attempts are in the order of their start.
	attempts []*attempt
	done     chan *attempt
	// finished are in the order of their end.
	finished []*attempt
}

// run returns when nothing of the race is left.
func (r *race) run() (net.Conn, error) {
	ctx, cancel := context.WithCancel(r.hop.ctx)
	defer cancel()

	var winner *attempt

	next := time.NewTimer(nextAddressAfter)
	defer next.Stop()

	r.begin(ctx)
	r.noteWaiting()

	for len(r.finished) < len(r.attempts) {
		select {
		case <-next.C:
		case a := <-r.done:
			r.finished = append(r.finished, a)

			if a.err == nil && winner == nil {
				winner = a

				cancel()
			} else if a.err == nil {
				_ = a.conn.Close()
			}
		}

		if winner == nil && ctx.Err() == nil && len(r.attempts) < len(r.addresses) {
			r.begin(ctx)
			next.Reset(nextAddressAfter)
		}

		r.noteWaiting()
	}

	r.report(winner)

	if winner != nil {
		return winner.conn, nil
	}

	return nil, r.failure()
}

// begin tries the next address.
func (r *race) begin(ctx context.Context) {
	p := r.hop.prober
	a := &attempt{address: r.addresses[len(r.attempts)], begin: p.now()}
	r.attempts = append(r.attempts, a)

	go func() {
		a.conn, a.err = guarded(func() (net.Conn, error) {
			return p.dialer.DialContext(ctx, p.network("tcp"), a.address.String())
		})
		a.took = p.now().Sub(a.begin)
		r.done <- a
	}()
}

// noteWaiting names the first address that has not answered yet.
func (r *race) noteWaiting() {
	for _, a := range r.attempts {
		if !slices.Contains(r.finished, a) {
			r.hop.waitFor(a.address)

			return
		}
	}
}

// report keeps what came of each address where more than one was tried.
func (r *race) report(winner *attempt) {
	if len(r.attempts) == 1 {
		return
	}

	shown := make([]ConnectAttempt, 0, min(len(r.attempts), maxAttempts))

	for _, a := range r.attempts[:cap(shown)] {
		one := ConnectAttempt{
			Address: a.address.String(), StartS: microseconds(a.begin.Sub(r.start).Microseconds()), TookS: microseconds(a.took.Microseconds()),
		}

		switch {
		case a == winner:
		case winner != nil && (a.err == nil || errors.Is(a.err, context.Canceled)):
			one.Error = "no answer until " + winner.address.String() + " answered"
		default:
			one.Error = capText(a.err.Error(), errorLimit)
		}

		shown = append(shown, one)
	}

	r.hop.mu.Lock()
	defer r.hop.mu.Unlock()
	r.hop.attempts = shown
}

// failure is of the address that failed last, as a visitor waits for it. One that this host cannot try, such as one of IPv6
// where it has none, says nothing about the site and counts only where all are like that.
func (r *race) failure() error {
	for _, a := range slices.Backward(r.finished) {
		if r.hop.connectReason(a.err, a.address.String()).Tested() {
			r.hop.waitFor(a.address)

			return a.err
		}
	}

	last := r.finished[len(r.finished)-1]
	r.hop.waitFor(last.address)

	return last.err
}
