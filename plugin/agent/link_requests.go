package agent

import (
	"fmt"
	"time"

	"golang.zabbix.com/sdk/plugin/comms"
)

const (
	// A request waits for a worker that is about to start; it is answered at once if that takes longer.
	maxHold    = time.Second
	maxPending = queueFrames / 2
)

// pending is a request that the agent still waits for.
type pending struct {
	key      string
	sent     bool // the worker has it
	backstop *time.Timer
}

// export passes a request on, keeps it for the worker that is being started, or answers why neither is possible.
func (l *link) export(f frame, id uint32) {
	request, err := decode[exportRequest](f)
	if err != nil {
		l.goAnswerError(id, err)

		return
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	wait := time.Until(l.nextStart)

	switch {
	case len(l.pending) >= maxPending:
		l.goAnswerError(id, fmt.Errorf("cannot evaluate %s: %d requests are waiting already", request.Key, maxPending))
	case l.worker != nil && l.worker.queue.put(f):
		l.remember(id, request, true)
	case l.worker != nil:
		l.worker.kill("killed because it does not take its messages")
		l.goAnswerError(id, fmt.Errorf("cannot evaluate %s: the worker process does not take its messages", request.Key))
	case wait > maxHold:
		l.goAnswerError(id, fmt.Errorf("cannot evaluate %s: the worker process died (%s); the next one starts in %s",
			request.Key, l.death, wait.Round(100*time.Millisecond)))
	default:
		l.remember(id, request, false)
		l.waiting = append(l.waiting, f)
	}
}

// remember keeps a request until its answer has passed. Called with mu held.
func (l *link) remember(id uint32, request exportRequest, sent bool) {
	limit := newDeadlines(request.TimeoutS, l.global).link
	l.pending[id] = &pending{
		key:      request.Key,
		sent:     sent,
		backstop: time.AfterFunc(limit, func() { l.expire(id, limit) }),
	}
}

func (l *link) markSent(f frame) {
	if common, err := f.peek(); err == nil {
		if r, ok := l.pending[common.Id]; ok {
			r.sent = true
		}
	}
}

// expire answers for a worker that did not, before the agent gives up.
func (l *link) expire(id uint32, limit time.Duration) {
	if r := l.settle(id); r != nil {
		l.answerError(id, fmt.Errorf("cannot evaluate %s: the worker process gave no answer within %s", r.key, limit))
	}
}

// settle removes a request and returns it, or nil if it was answered before.
func (l *link) settle(id uint32) *pending {
	l.mu.Lock()
	defer l.mu.Unlock()

	r, ok := l.pending[id]
	if !ok {
		return nil
	}

	r.backstop.Stop()
	delete(l.pending, id)

	return r
}

// takePending removes the requests that match. Called with mu held.
func (l *link) takePending(match func(*pending) bool) map[uint32]*pending {
	taken := make(map[uint32]*pending)

	for id, r := range l.pending {
		if match(r) {
			r.backstop.Stop()
			delete(l.pending, id)

			taken[id] = r
		}
	}

	return taken
}

// failWaiting answers what waits for a worker that will not come soon.
func (l *link) failWaiting() {
	l.mu.Lock()
	lost := l.takePending(func(*pending) bool { return true })
	l.waiting = nil
	death := l.death
	l.mu.Unlock()

	for id, r := range lost {
		l.answerError(id, fmt.Errorf("cannot evaluate %s: the worker process does not start (%s)", r.key, death))
	}
}

// goAnswerError answers without blocking: agent 6.0 stalls as a whole when the plugin stops reading.
func (l *link) goAnswerError(id uint32, err error) { go l.answerError(id, err) }

func (l *link) answerError(id uint32, err error) {
	f, encodeErr := newFrame(exportResponse{
		Common: comms.Common{Id: id, Type: comms.ExportResponseType}, Error: err.Error(),
	})
	if encodeErr == nil {
		// A write fails only when the agent is gone, and then the next read ends the link.
		_ = l.toAgent(f)
	}
}

func (l *link) toAgent(f frame) error {
	l.agentWrites.Add(1)
	defer l.agentWrites.Add(-1)

	return l.agent.write(f)
}

// relayWorker takes what a worker sends until it is gone.
func (l *link) relayWorker(p *process) {
	defer close(p.read)

	for {
		f, err := p.conn.read()
		if err != nil {
			return
		}

		common, err := f.peek()
		if err != nil {
			continue
		}

		switch common.Type {
		case comms.ExportResponseType:
			if l.settle(common.Id) != nil {
				_ = l.toAgent(f)

				releaseLarge(f)
			}
		case answeredType:
			l.settle(common.Id)
		case comms.LogRequestType:
			_ = l.toAgent(f)
		case pongType:
			l.takePong(p, f)
		}
	}
}
