package agent

import (
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.zabbix.com/sdk/log"
	"golang.zabbix.com/sdk/plugin"
	"golang.zabbix.com/sdk/plugin/comms"
)

// exportSlots bounds the handlers that run at once. The agent may have up to 1000 requests in flight (100 in 6.0); those
// over the bound wait for a slot until their deadline.
const exportSlots = 100

// worker runs the handler. It reads always, and never ends by itself: only Terminate and the end of the link do that.
type worker struct {
	log.Logger

	conn    *frameConn
	agent   *directSocket
	handler Handler
	slots   chan struct{}
	started time.Time

	mu           sync.Mutex
	global       plugin.GlobalOptions
	link         LinkStatus
	protocol     string
	configureErr error

	served, failed, refused, timedOut, panics atomic.Uint64
	stuck                                     atomic.Int64
}

func newWorker(conn net.Conn, agent *directSocket, p Plugin) *worker {
	w := &worker{conn: newFrameConn(conn), agent: agent, slots: make(chan struct{}, exportSlots), started: time.Now()}
	w.Logger = newAgentLog(w.conn.write)
	w.handler = p.New(w)

	return w
}

// run serves until the link goes or says Terminate.
func (w *worker) run() {
	for {
		f, err := w.conn.read()

		switch {
		case errors.Is(err, errSkippedFrame):
			w.Warningf("%s", err)
		case err != nil:
			return
		default:
			if terminate := w.handle(f); terminate {
				return
			}
		}
	}
}

func (w *worker) handle(f frame) (terminate bool) {
	common, err := f.peek()
	if err != nil {
		w.Warningf("%s", err)

		return false
	}

	switch common.Type {
	case comms.ExportRequestType:
		w.export(f, common.Id)
	case pingType:
		w.answerPing(common)
	case helloType:
		w.takeHello(f)
	case comms.ConfigureRequestType:
		w.configure(f)
	case comms.StartRequestType:
		w.guard("starting the checks", func() error {
			w.handler.Start()

			return nil
		})
	case comms.TerminateRequestType:
		w.guard("stopping the checks", func() error {
			w.handler.Stop()

			return nil
		})

		return true
	default:
		w.Debugf("ignored a message of unknown type %d", common.Type)
	}

	return false
}

func (w *worker) answerPing(ping comms.Common) {
	answer := pong{
		Common: comms.Common{Id: ping.Id, Type: pongType},
		Slots:  cap(w.slots),
		Stuck:  int(w.stuck.Load()),
	}
	// A write fails only when the link is gone, and then the next read ends the worker.
	_ = w.conn.send(answer)
}

func (w *worker) takeHello(f frame) {
	message, err := decode[hello](f)
	if err != nil {
		w.Warningf("%s", err)

		return
	}

	w.mu.Lock()
	defer w.mu.Unlock()

	w.link = message.Link
}

func (w *worker) configure(f frame) {
	request, err := decode[configureRequest](f)
	if err == nil {
		global := plugin.GlobalOptions{}
		if request.Global != nil {
			global = *request.Global
		}

		w.mu.Lock()
		w.global = global
		w.mu.Unlock()

		err = w.guard("configuring the checks", func() error { return w.handler.Configure(global, request.Private) })
	}

	w.mu.Lock()
	defer w.mu.Unlock()

	w.configureErr = err
}

// guard runs a step of the handler's life; a panic in it costs that step and not the worker.
func (w *worker) guard(step string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = w.recovered(step, r)
		}
	}()

	return f()
}

func (w *worker) recovered(during string, panicked any) error {
	w.panics.Add(1)
	w.Errf("recovered a panic while %s: %v\n%s", during, panicked, debug.Stack())

	return fmt.Errorf("cannot go on with %s: it panicked (%v); the stack is in the agent's log, please report it",
		during, panicked)
}

// Status implements Host.
func (w *worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()

	return Status{
		StartedAt:       w.started,
		AgentProtocol:   w.protocol,
		Link:            w.link,
		ServedTotal:     w.served.Load(),
		FailedTotal:     w.failed.Load(),
		RefusedTotal:    w.refused.Load(),
		TimedOutTotal:   w.timedOut.Load(),
		RecoveredPanics: w.panics.Load(),
		InFlight:        len(w.slots),
		Slots:           cap(w.slots),
		Stuck:           int(w.stuck.Load()),
	}
}
