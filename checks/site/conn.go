package site

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// conn tells its hop what really happened on the connection: the transport's errors often do not.
type conn struct {
	net.Conn
	hop *hop
	// gated holds back reads until something was written. A reset that is already there is then met by the write, so
	// that it is certain whether the request was sent.
	gated  atomic.Bool
	gate   chan struct{}
	opened sync.Once
}

func (c *conn) Read(b []byte) (int, error) {
	if c.gated.Load() {
		<-c.gate
	}

	n, err := c.Conn.Read(b)
	c.hop.onRead(b[:n])

	if err != nil && !errors.Is(err, net.ErrClosed) {
		c.hop.onReadError(err)
	}

	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if c.gated.Load() {
		if !errors.Is(err, net.ErrClosed) && c.hop.onWritten(err) {
			// With the error the transport would drop what has arrived of the answer.
			n, err = len(b), nil
		}

		c.open()
	}

	return n, err
}

func (c *conn) Close() error {
	c.open()

	return c.Conn.Close()
}

func (c *conn) open() { c.opened.Do(func() { close(c.gate) }) }
