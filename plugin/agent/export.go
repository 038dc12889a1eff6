package agent

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.zabbix.com/sdk/plugin"
	"golang.zabbix.com/sdk/plugin/comms"
)

// call is one export request on its way through the worker. Exactly one answer is sent, by whoever settles it first.
type call struct {
	worker  *worker
	request exportRequest
	limits  deadlines

	mu      sync.Mutex
	settled bool
	running bool
}

func (w *worker) export(f frame, id uint32) {
	request, err := decode[exportRequest](f)
	if err != nil {
		w.failed.Add(1)
		w.answer(id, "", err)

		return
	}

	global, err := w.beginExport(request)
	if err != nil {
		w.failed.Add(1)
		w.answer(id, "", err)

		return
	}

	c := &call{worker: w, request: request, limits: newDeadlines(request.TimeoutS, global)}

	go c.serve()
}

// beginExport notes the dialect that the agent speaks and returns its global options, or why the plugin is not usable.
func (w *worker) beginExport(request exportRequest) (plugin.GlobalOptions, error) {
	w.mu.Lock()
	defer w.mu.Unlock()

	w.protocol = protocol60
	if request.TimeoutS != nil {
		w.protocol = protocol64
	}

	if w.configureErr != nil {
		return w.global, fmt.Errorf("cannot evaluate %s: the plugin is not configured: %w", request.Key, w.configureErr)
	}

	return w.global, nil
}

func (c *call) serve() {
	w := c.worker
	deadline := time.AfterFunc(c.limits.worker, c.expire)

	defer deadline.Stop()

	ctx, cancel := context.WithTimeout(context.Background(), c.limits.handler)
	defer cancel()

	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		w.refused.Add(1)
		c.settle("", fmt.Errorf("cannot evaluate %s: all %d request slots were busy for %s; see hosting.plugin.get",
			c.request.Key, cap(w.slots), c.limits.handler))

		return
	}

	c.setRunning()

	value, err := c.evaluate(ctx)

	<-w.slots

	if !c.settle(value, err) {
		w.stuck.Add(-1)
	}
}

func (c *call) evaluate(ctx context.Context) (value string, err error) {
	err = c.worker.guard("evaluating "+c.request.Key, func() error {
		value, err = c.worker.handler.Export(ctx, c.request.Key, c.request.Parameters)

		return err
	})

	return value, err
}

func (c *call) setRunning() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.running = true
}

// expire answers for a handler that is still running at the deadline; the handler goes on holding its slot.
func (c *call) expire() {
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()

	if !running {
		return
	}

	c.worker.stuck.Add(1)

	if !c.settle("", fmt.Errorf("cannot evaluate %s: no result within %s; the call goes on in the background",
		c.request.Key, c.limits.worker), &c.worker.timedOut) {
		c.worker.stuck.Add(-1)
	}
}

// settle answers the request unless it is answered already, and tells whether it did. It is counted before it is answered, also
// in the counters given, so that whoever has the answer finds it counted.
func (c *call) settle(value string, err error, counters ...*atomic.Uint64) bool {
	c.mu.Lock()
	first := !c.settled
	c.settled = true
	c.mu.Unlock()

	if !first {
		return false
	}

	for _, counter := range append(counters, &c.worker.served) {
		counter.Add(1)
	}

	if err != nil {
		c.worker.failed.Add(1)
	}

	c.worker.answer(c.request.Id, value, err)

	return true
}

// answer sends an export response. What cannot be encoded or is too big becomes an error, never silence.
func (w *worker) answer(id uint32, value string, err error) {
	response := exportResponse{Common: comms.Common{Id: id, Type: comms.ExportResponseType}, Value: &value}
	if err != nil {
		response.Value, response.Error = nil, err.Error()
	}

	f, err := newFrame(response)
	if err != nil {
		response.Value, response.Error = nil, err.Error()

		if f, err = newFrame(response); err != nil {
			w.Errf("%s", err)

			return
		}
	}

	if w.agent.send(f) {
		f = w.answeredNote(id)
	}

	// A write fails only when the link is gone, and then the next read ends the worker.
	_ = w.conn.write(f)

	releaseLarge(f)
}
