package agent

import (
	"bufio"
	"net"
	"sync"
)

// frameConn is a connection whose writers may be concurrent and whose reader is one goroutine.
type frameConn struct {
	conn   net.Conn
	reader *bufio.Reader
	mu     sync.Mutex
}

func newFrameConn(conn net.Conn) *frameConn {
	return &frameConn{conn: conn, reader: bufio.NewReader(conn)}
}

func (c *frameConn) read() (frame, error) { return readFrame(c.reader) }

// write sends a frame with one Write call, so that frames of concurrent writers never mix.
func (c *frameConn) write(f frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	_, err := c.conn.Write(f)

	return err
}

func (c *frameConn) send(message any) error {
	f, err := newFrame(message)
	if err != nil {
		return err
	}

	return c.write(f)
}

func (c *frameConn) close() { _ = c.conn.Close() }
