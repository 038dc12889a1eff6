package agent

import (
	"fmt"
	"time"

	"golang.zabbix.com/sdk/plugin/comms"
)

const (
	pingInterval = time.Second
	// An idle worker is asked this seldom, so that an idle host is left idle.
	idlePings = 5
	// A count and not a time: on a host that swaps, the link's own ticks come late as well.
	maxUnansweredPings = 5
	maxStuckPings      = 3
)

// health of one worker, as its answers to pings tell; guarded by link.mu.
type health struct {
	unanswered int
	stuck      int // pings in a row that found every request slot held for ever
}

// monitor replaces a worker that no longer reads, or whose request slots are all held by calls that never return.
func (l *link) monitor(p *process) {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()

	for tick := 1; ; tick++ {
		select {
		case <-p.exited:
			return
		case <-l.closing:
			l.stop(p)

			return
		case <-ticker.C:
		}

		if reason := l.examine(p); reason != "" {
			p.kill(reason)

			return
		}

		if l.shouldPing(p, tick) {
			p.ping()
		}
	}
}

// stop lets the worker stop its checks if the agent gives time for it, and ends it.
func (l *link) stop(p *process) {
	f, err := newFrame(comms.TerminateRequest{Common: comms.Common{Type: comms.TerminateRequestType}})
	if l.orderly && err == nil && p.queue.put(f) {
		select {
		case <-p.exited:
		case <-time.After(stopPatience):
		}
	}

	p.kill("the agent stopped the plugin")
}

func (l *link) shouldPing(p *process, tick int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	if len(l.pending) == 0 && p.health.unanswered == 0 && p.health.stuck == 0 && tick%idlePings != 0 {
		return false
	}

	// While the agent itself does not read, a worker's answers are held up behind it through no fault of the worker.
	if l.agentWrites.Load() == 0 {
		p.health.unanswered++
	}

	return true
}

// examine returns why a worker has to be replaced, or nothing.
func (l *link) examine(p *process) string {
	l.mu.Lock()
	defer l.mu.Unlock()

	switch {
	case p.health.unanswered >= maxUnansweredPings:
		return fmt.Sprintf("killed because it left %d pings in a row unanswered", p.health.unanswered)
	case p.health.stuck >= maxStuckPings:
		return "killed because all its request slots were held by calls that do not return"
	}

	return ""
}

func (p *process) ping() {
	if f, err := newFrame(comms.Common{Type: pingType}); err == nil {
		p.queue.put(f)
	}
}

func (l *link) takePong(p *process, f frame) {
	answer, err := decode[pong](f)
	if err != nil {
		return
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	p.ready = true
	p.health.unanswered = 0

	if answer.Slots > 0 && answer.Stuck >= answer.Slots {
		p.health.stuck++
	} else {
		p.health.stuck = 0
	}
}
