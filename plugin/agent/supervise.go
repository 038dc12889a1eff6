package agent

import (
	"fmt"
	"os"
	"time"

	"golang.zabbix.com/sdk/plugin/comms"
)

// supervise keeps a worker running until the link closes.
func (l *link) supervise() {
	var delays backoff

	for first := true; !l.isClosing(); first = false {
		began := time.Now()
		ready := l.runWorker(first)
		delay := delays.next(time.Since(began), ready)

		l.mu.Lock()
		l.nextStart = time.Now().Add(delay)
		l.mu.Unlock()

		if delay > maxHold {
			l.failWaiting()
		}

		select {
		case <-time.After(delay):
		case <-l.closing:
		}
	}
}

func (l *link) isClosing() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// runWorker starts one worker, waits for its end and answers for it. It tells whether the worker ever was ready.
func (l *link) runWorker(first bool) (ready bool) {
	p, err := startProcess(l.executable, l.agentFile)
	if err != nil {
		l.noteDeath(err.Error())
		l.Errf("%s", err)

		return false
	}

	if !first {
		l.mu.Lock()
		l.restarts++
		l.mu.Unlock()
	}

	go l.relayWorker(p)

	l.attach(p)

	go l.monitor(p)

	reason := p.wait()
	lost := l.detach(reason)

	if !l.isClosing() {
		l.Errf("worker %d died: %s; %d requests were lost; %s", p.cmd.Process.Pid, reason, lost, &p.output)
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	return p.ready
}

// attach gives a new worker what its predecessor knew, and what waited for it, in this order.
func (l *link) attach(p *process) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.worker = p
	// Before anything else, so that a worker that came up and then died of a request is known from one that never came up.
	p.ping()

	greeting, err := newFrame(hello{
		Common: comms.Common{Type: helloType},
		Link: LinkStatus{
			PID: os.Getpid(), StartedAt: l.started, WorkerRestarts: l.restarts, LastWorkerDeath: l.death,
		},
	})
	if err != nil {
		l.Errf("%s", err)
	} else {
		l.forward(greeting)
	}

	for _, f := range []frame{l.configure, l.start} {
		if f != nil {
			l.forward(f)
		}
	}

	for _, f := range l.waiting {
		l.forward(f)
		l.markSent(f)
	}

	l.waiting = nil
}

// detach answers everything that the dead worker still owed, and returns how much that was.
func (l *link) detach(reason string) int {
	l.noteDeath(reason)

	l.mu.Lock()
	l.worker = nil
	lost := l.takePending(func(r *pending) bool { return r.sent })
	l.mu.Unlock()

	for id, r := range lost {
		l.answerError(id, fmt.Errorf(
			"cannot evaluate %s: the worker process that evaluated it died (%s); a new one is started, ask again", r.key, reason))
	}

	return len(lost)
}

func (l *link) noteDeath(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.death = reason
}
