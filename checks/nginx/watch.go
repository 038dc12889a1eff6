package nginx

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// watch looks at the host's listeners while a test runs.
type watch struct {
	reader *listener.Reader
	query  listener.Query
	before *listener.Snapshot
	counts listener.Counters

	cancel context.CancelFunc
	done   chan struct{}
	// seen are the listeners that appeared, by address: true for one that somebody else holds.
	seen map[netip.AddrPort]bool
}

// sight is what a watch has seen.
type sight struct {
	// passing are the addresses on which somebody listened during the test only, and nobody else was seen to.
	passing map[netip.AddrPort]struct{}
	// others are the addresses on which somebody else began to listen.
	others map[netip.AddrPort]struct{}
	during During
}

const (
	// watchShare is which part of its time the watch may spend on looking.
	watchShare = 20
	minPause   = 2 * time.Millisecond
)

func (m *Monitor) watch(pid int) *watch {
	ctx, cancel := context.WithCancel(m.ctx)
	w := &watch{
		reader: m.listeners, query: listener.Query{Network: listener.TCP, PID: pid}, cancel: cancel,
		done: make(chan struct{}), seen: make(map[netip.AddrPort]bool),
	}

	// Where nobody may look, the test's own record of what it would have done is all there is.
	w.before, _ = w.reader.Snapshot(ctx, w.query)
	w.counts, _ = w.reader.Counters(pid)

	go w.run(ctx)

	return w
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)

	for w.before != nil && ctx.Err() == nil {
		began := time.Now()

		now, err := w.reader.Snapshot(ctx, w.query)
		if err != nil {
			return
		}

		w.take(ctx, now)

		select {
		case <-ctx.Done():
		case <-time.After(max(minPause, watchShare*time.Since(began))):
		}
	}
}

// take looks who holds the listeners that have appeared.
func (w *watch) take(ctx context.Context, now *listener.Snapshot) {
	var appeared []listener.Socket

	for _, s := range listener.Diff(w.before, now).Appeared {
		if !w.seen[s.Address] {
			w.seen[s.Address] = false
			appeared = append(appeared, s)
		}
	}

	if len(appeared) == 0 {
		return
	}

	named, err := w.reader.Name(ctx, w.query.PID, appeared)
	if err != nil {
		return
	}

	parents := make(map[int]int, len(named.Processes))
	for _, p := range named.Processes {
		parents[p.PID] = p.PPID
	}

	for _, g := range named.Groups {
		w.seen[g.Address] = slices.ContainsFunc(g.PIDs, func(pid int) bool { return pid != os.Getpid() && parents[pid] != os.Getpid() })
	}
}

// stop ends the watch.
func (w *watch) stop() sight {
	w.cancel()
	<-w.done

	s := sight{passing: make(map[netip.AddrPort]struct{}), others: make(map[netip.AddrPort]struct{})}

	for address, theirs := range w.seen {
		if theirs {
			s.others[address] = struct{}{}
		} else {
			s.passing[address] = struct{}{}
		}
	}

	after, err := w.reader.Snapshot(context.Background(), w.query)
	if err == nil && w.before != nil {
		// What still listens belongs to somebody else: nothing of the test has outlived it.
		for _, appeared := range listener.Diff(w.before, after).Appeared {
			delete(s.passing, appeared.Address)
			s.others[appeared.Address] = struct{}{}
		}
	}

	if counts, err := w.reader.Counters(w.query.PID); err == nil {
		grown := counts.Since(w.counts)
		s.during = During{OutResets: value(grown.ResetsSent), ListenDrops: value(grown.ListenDrops), ListenOverflows: value(grown.ListenOverflows)}
	}

	return s
}

func value(counter *uint64) uint64 {
	if counter == nil {
		return 0
	}

	return *counter
}
