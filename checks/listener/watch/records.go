package watch

import (
	"context"
	"errors"
	"os"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

const (
	// lossInterval is how often the lost records are asked for.
	lossInterval = time.Second
	// hurry is the share of the ring from which on processes that are not known yet are named by what the kernel told only.
	hurry = 0.25
)

// records takes down what the kernel tells.
func (w *Watcher) records(ctx context.Context, p *probe.Probe) {
	n := newNamer(w.reader, p.Command)
	nextLoss := time.Now()

	for ctx.Err() == nil {
		if now := time.Now(); !now.Before(nextLoss) {
			nextLoss = now.Add(lossInterval)
			w.countLost(p)
		}

		r, err := p.Read(w.deadline(nextLoss))

		switch {
		case err == nil:
			w.takeRecord(&r, n, p)
			w.judge(r.SinceBoot)
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, probe.ErrWoken):
		default:
			w.fallBack(err)

			return
		}

		// What the kernel told until now has been read where nothing is left.
		if now := sinceBoot(); p.Backlog() == 0 {
			w.judge(now)
		}
	}

	w.countLost(p)
}

// deadline is soon while somebody waits to be judged.
func (w *Watcher) deadline(at time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()

	if len(w.book.waiting) > 0 {
		return time.Now().Add(settled)
	}

	return at
}

func (w *Watcher) takeRecord(r *probe.Record, n *namer, p *probe.Probe) {
	if r.Kind == probe.Closed {
		w.mu.Lock()
		defer w.mu.Unlock()

		w.book.close(&closing{key: keyOf(&r.Socket), at: r.SinceBoot, socket: r.Socket, inListen: r.InListen})

		return
	}

	o := &opening{
		socket: r.Socket, namespace: r.NamespaceID, at: r.SinceBoot, reusePort: r.ReusePort,
		by: n.fromKernel(r, p.Backlog() > hurry),
	}

	w.mu.Lock()
	defer w.mu.Unlock()

	w.book.open(o)
}

// judge is told until when all is known.
func (w *Watcher) judge(known time.Duration) {
	w.mu.Lock()
	look := w.book.judge(known)
	w.mu.Unlock()

	if look {
		w.wantMasters()
	}
}

// wantMasters has somebody look whose the sockets are, at nginx that have just started as well.
func (w *Watcher) wantMasters() {
	w.mu.Lock()
	w.anew = true
	w.mu.Unlock()

	w.wantLook()
}

func (w *Watcher) wantLook() {
	select {
	case w.lookSoon <- struct{}{}:
	default:
	}
}

// countLost has somebody look at all sockets where closings may have been lost.
func (w *Watcher) countLost(p *probe.Probe) {
	lost, err := p.Lost()
	skipped, skippedErr := p.Skipped()

	if err != nil || skippedErr != nil {
		return
	}

	w.mu.Lock()
	more := lost > w.lost
	w.lost, w.skipped = lost, skipped
	w.distrust = w.distrust || more
	w.mu.Unlock()

	if more {
		w.wantLook()
	}
}

// fallBack polls from now on.
func (w *Watcher) fallBack(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()

	reason := err
	if closeErr := w.closeProbe(); closeErr != nil {
		reason = errors.Join(err, closeErr)
	}

	w.poll(reason.Error())
	w.wantLook()
}
