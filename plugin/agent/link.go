package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.zabbix.com/sdk/log"
	"golang.zabbix.com/sdk/plugin"
	"golang.zabbix.com/sdk/plugin/comms"
)

const (
	// How long Terminate gives the worker to stop its checks; the agent gives the plugin its Timeout, at least 1 s.
	stopPatience = 600 * time.Millisecond
	// Agent 6.0 floods its log when the plugin closes the connection first.
	lingerAfterTerminate = 100 * time.Millisecond
)

// link is the process that the agent started: it relays frames and keeps a worker alive behind them.
type link struct {
	log.Logger

	agent      *frameConn
	agentFile  *os.File // the same connection, for the workers
	plugin     Plugin
	executable string
	started    time.Time
	closing    chan struct{} // closed when the agent said Terminate or went away
	orderly    bool          // it said Terminate; written before closing is closed

	agentWrites atomic.Int64 // writes to the agent that have not returned

	mu        sync.Mutex
	worker    *process
	pending   map[uint32]*pending
	waiting   []frame // requests for the worker that is being started
	configure frame
	start     frame
	global    plugin.GlobalOptions
	restarts  int
	death     string    // of the last worker
	nextStart time.Time // of a worker, while there is none
}

func newLink(conn *net.UnixConn, p Plugin, executable string) (*link, error) {
	file, err := conn.File()
	if err != nil {
		return nil, fmt.Errorf("cannot share the agent's connection with a worker: %w", err)
	}

	l := &link{
		agent:      newFrameConn(conn),
		agentFile:  file,
		plugin:     p,
		executable: executable,
		started:    time.Now(),
		closing:    make(chan struct{}),
		pending:    make(map[uint32]*pending),
	}
	l.Logger = newAgentLog(l.toAgent)

	return l, nil
}

// run relays until the agent says Terminate or goes away.
func (l *link) run() {
	done := make(chan struct{})

	go func() {
		// The worker dies with the thread that started it, so this one is kept for nothing else.
		runtime.LockOSThread()
		l.supervise()
		close(done)
	}()

	terminate := l.readAgent()

	l.orderly = terminate != nil
	close(l.closing)
	<-done

	if terminate != nil && terminate.Id == comms.NonRequiredID {
		l.linger()
	}

	l.agent.close()
}

// readAgent takes the agent's messages until Terminate, which it returns, or the end of the connection.
func (l *link) readAgent() *comms.Common {
	for {
		f, err := l.agent.read()

		switch {
		case errors.Is(err, errSkippedFrame):
			l.Warningf("%s", err)
		case err != nil:
			return nil
		default:
			if common := l.handle(f); common != nil {
				return common
			}
		}
	}
}

// handle takes one message of the agent and returns it if it is Terminate.
func (l *link) handle(f frame) *comms.Common {
	common, err := f.peek()
	if err != nil {
		l.Warningf("%s", err)

		return nil
	}

	switch common.Type {
	case comms.ExportRequestType:
		l.export(f, common.Id)
	case comms.ConfigureRequestType:
		l.takeConfigure(f)
	case comms.StartRequestType:
		l.mu.Lock()
		l.start = f
		l.forward(f)
		l.mu.Unlock()
	case comms.TerminateRequestType:
		return &common
	default:
		l.Warningf("ignored a message of unknown type %d from the agent", common.Type)
	}

	return nil
}

func (l *link) takeConfigure(f frame) {
	request, err := decode[configureRequest](f)
	if err != nil {
		l.Warningf("%s", err)
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	if request.Global != nil {
		l.global = *request.Global
	}

	l.configure = f
	l.forward(f)
}

// forward hands a frame to the worker if there is one; a worker that starts later gets it replayed. Called with mu held.
func (l *link) forward(f frame) {
	if l.worker != nil && !l.worker.queue.put(f) {
		l.worker.kill("killed because it does not take its messages")
	}
}

// linger waits for the agent to close the connection first.
func (l *link) linger() {
	_ = l.agent.conn.SetReadDeadline(time.Now().Add(lingerAfterTerminate))

	for {
		if _, err := l.agent.read(); err != nil && !errors.Is(err, errSkippedFrame) {
			return
		}
	}
}
