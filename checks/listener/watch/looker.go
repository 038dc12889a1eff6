package watch

import (
	"context"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

const (
	// mastersInterval is how often the nginx are looked for, and whose the sockets are.
	mastersInterval = 10 * time.Second
	// lookPause is the least time between two looks that somebody wants.
	lookPause = 250 * time.Millisecond
	// restFactor has a look rest at least this many times as long as it took, for 2 % of one processor at most.
	restFactor = 50
)

// looker looks at all sockets, to know whose they are and to find what the kernel does not tell of.
type looker struct {
	w     *Watcher
	namer *namer
	// masters were found at mastersAt.
	masters   []listener.Master
	mastersAt time.Time
}

// first is called by Start, which holds the lock.
func (l *looker) first(ctx context.Context) error {
	mastersErr := l.findMasters(ctx)
	now := l.begin()
	states, err := l.list(ctx, now)

	if err != nil && l.w.probe == nil {
		return err
	}

	l.finish(now, states, err, mastersErr)

	return nil
}

func (l *looker) run(ctx context.Context) {
	var took, rested time.Duration

	for {
		select {
		case <-ctx.Done():
			return
		case <-l.w.lookSoon:
		case <-time.After(l.pause(took) - rested):
		}

		took = l.look(ctx)
		rested = leastRest(took)

		// Nobody gets more than this by asking often.
		select {
		case <-ctx.Done():
			return
		case <-time.After(rested):
		}
	}
}

// leastRest is what follows a look, whoever waits for the next.
func leastRest(took time.Duration) time.Duration { return max(restFactor*took, lookPause) }

// look also finds the nginx that run where that was long ago. It says how long all of it took.
func (l *looker) look(ctx context.Context) (took time.Duration) {
	var mastersErr error

	began := time.Now()

	l.w.mu.Lock()
	anew := l.w.anew
	l.w.anew = false
	l.w.mu.Unlock()

	if anew || time.Since(l.mastersAt) >= mastersInterval {
		mastersErr = l.findMasters(ctx)
	}

	l.w.mu.Lock()
	now := l.begin()
	l.w.mu.Unlock()

	states, err := l.list(ctx, now)

	l.w.mu.Lock()
	news := l.finish(now, states, err, mastersErr)
	before := l.w.book.strangers()
	l.w.mu.Unlock()

	for _, one := range news {
		l.takeNews(ctx, now, one)
	}

	l.takeStrangers(ctx, before)

	l.w.mu.Lock()
	alone := l.w.probe == nil
	l.w.mu.Unlock()

	// Where the kernel tells of sockets, who reads that knows until when all is known.
	if alone {
		l.w.judge(sinceBoot())
	}

	return time.Since(began)
}

func (l *looker) findMasters(ctx context.Context) error {
	masters, err := l.w.options.Masters(ctx)
	if err != nil {
		return fmt.Errorf("cannot find the nginx that run: %w", err)
	}

	l.masters, l.mastersAt = masters, time.Now()

	return nil
}

func (l *looker) begin() *look {
	w := l.w
	now := &look{begunAt: sinceBoot(), distrust: w.distrust, polled: map[listener.Network]bool{
		listener.TCP: w.tcp.State == StatePolling, listener.UDP: w.udp.State == StatePolling,
	}}
	w.distrust = false
	w.book.beginLook()

	return now
}

func (l *looker) list(ctx context.Context, now *look) (states []listener.MasterState, err error) {
	now.standings, states, err = l.w.reader.Standings(ctx, l.masters)

	return states, err
}

// finish takes over what was listed.
func (l *looker) finish(now *look, states []listener.MasterState, err, mastersErr error) (news []appeared) {
	b := l.w.book

	if err != nil {
		b.giveUp(now.begunAt)
		b.foreignersError, b.mastersKnown = err.Error(), false

		return nil
	}

	news = b.take(now)
	b.masters = states
	problem := withoutMasters(states, mastersErr)
	b.mastersKnown = problem == ""
	b.foreignersError = problem

	// Without sock_diag there are no cookies, by which the kernel's records are told apart.
	if b.mastersKnown && l.w.tcp.State == StateWatching {
		b.foreignersError = withoutCookies(now.standings)
	}

	l.followUDP()

	return news
}

// followUDP tells the kernel which UDP sockets matter.
func (l *looker) followUDP() {
	w := l.w
	if w.probe == nil || w.udp.State != StateWatching {
		return
	}

	err := w.probe.SetPorts(w.book.udpPorts)
	if err == nil {
		err = w.probe.FollowUDP(w.book.udpCookies())
	}

	if err != nil {
		w.udp = coverage(StatePolling, err.Error(), w.options.Interval)
	}
}
