package site

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// conn tells its hop what really happened on the connection: the transport's errors often do not.
type conn struct {
	net.Conn
	hop *hop
	// gated holds back reads until the request was sent, or in HTTP/1 a part of it. A reset that is already there is then
	// met by the write, so that it is certain whether the request was sent.
	gated  atomic.Bool
	gate   chan struct{}
	opened sync.Once
}

func (c *conn) Read(b []byte) (int, error) {
	if c.gated.Load() {
		<-c.gate
	}

	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		c.hop.onReadError(err)
	}

	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if !c.gated.Load() {
		return n, err
	}

	readOn := !errors.Is(err, net.ErrClosed) && c.hop.onWritten(err)
	if err != nil || !c.hop.speaksHTTP2() {
		c.open()
	}

	if readOn {
		// With the error the transport would drop what has arrived of the answer.
		return len(b), nil
	}

	return n, err
}

func (c *conn) Close() error {
	c.open()

	return c.Conn.Close()
}

func (c *conn) open() { c.opened.Do(func() { close(c.gate) }) }

// answerConn tells its hop what the transport reads of an answer of HTTP/1, decrypted.
type answerConn struct {
	net.Conn
	hop *hop
}

func (c *answerConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && errors.Is(err, io.EOF) {
		// TLS 1.2 tells of the end along with the last bytes, which may be wrong before they are too few. It tells again.
		err = nil
	}

	c.hop.onRead(b[:n], err)

	return n, err
}
