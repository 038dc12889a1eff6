package agent

import "sync"

// queueFrames bounds what waits for a worker's reader; the agent never has more in flight.
const queueFrames = 2048

// frameQueue hands frames to a worker without ever waiting for it: agent 6.0 stalls as a whole when its plugin does.
type frameQueue struct {
	conn *frameConn
	rest chan []byte // what the socket did not take at once, in order

	mu      sync.Mutex
	waiting int // in rest, or being written from it
}

func newFrameQueue(conn *frameConn) *frameQueue {
	return &frameQueue{conn: conn, rest: make(chan []byte, queueFrames)}
}

// put hands over a frame and tells whether there was room. After a false the worker has to be replaced: it may have got half a frame.
func (q *frameQueue) put(f frame) bool {
	q.mu.Lock()
	defer q.mu.Unlock()

	rest := []byte(f)
	if q.waiting == 0 {
		rest = rest[q.conn.writeNow(rest):]
	}

	if len(rest) == 0 {
		return true
	}

	select {
	case q.rest <- rest:
		q.waiting++

		return true
	default:
		return false
	}
}

// run writes what the socket did not take at once, until the worker is gone.
func (q *frameQueue) run(gone <-chan struct{}) {
	for {
		select {
		case rest := <-q.rest:
			if q.conn.write(rest) != nil {
				return
			}

			q.mu.Lock()
			q.waiting--
			q.mu.Unlock()
		case <-gone:
			return
		}
	}
}
