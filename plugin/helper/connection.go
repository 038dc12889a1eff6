package helper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	// maxHead is more than what stands before any answer's body, and maxBody more than any body has.
	maxHead = 4 << 10
	maxBody = 16 << 20
	// maxIdle is how many connections are kept for the next questions, and maxIdleTime how long: shorter than the helper keeps them.
	maxIdle     = 4
	maxIdleTime = time.Minute
	// backlogPause is how long to wait for a place in the queue of a socket that is full (connect(2), EAGAIN).
	backlogPause = 10 * time.Millisecond
)

// connection is one to the helper. It reads no more than the bytes that are left to it.
type connection struct {
	net.Conn

	reader *bufio.Reader
	left   int
	// reused tells that it has served before, so that the helper may have ended since.
	reused bool
	usedAt time.Time
}

// Read fails, rather than ends, where the helper sends more than it may.
func (c *connection) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errEndless()
	}

	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n

	return n, err
}

func errEndless() error { return garbage("it has no end") }

// get sends a request and returns the answer, whose body is still to be read. An answer may lie there although the request was not
// taken: that of a helper that turns this user away.
func (c *connection) get(target string) (*http.Response, error) {
	_, writeErr := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: helper\r\n\r\n", target)
	c.left = maxHead

	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, errors.Join(writeErr, err)
	}

	c.left = maxBody

	return response, nil
}

// pool are the connections that wait for the next question. It is safe for concurrent use.
type pool struct {
	socket string

	mu   sync.Mutex
	idle []*connection // the last used at the end
}

// take returns a connection, where it may be reused one that waits.
func (p *pool) take(ctx context.Context, reuse bool) (*connection, error) {
	if !reuse {
		p.close()
	} else if c := p.last(); c != nil {
		return c, nil
	}

	for {
		// It never waits (unix(7)).
		dialed, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: p.socket, Net: "unix"})
		if err == nil {
			c := &connection{Conn: dialed}
			c.reader = bufio.NewReader(c)

			return c, nil
		}

		if !errors.Is(err, syscall.EAGAIN) {
			return nil, err
		}

		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(backlogPause):
		}
	}
}

func (p *pool) last() *connection {
	p.mu.Lock()
	defer p.mu.Unlock()

	n := len(p.idle)
	if n == 0 {
		return nil
	}

	c := p.idle[n-1]
	if time.Since(c.usedAt) < maxIdleTime {
		p.idle = p.idle[:n-1]

		return c
	}

	p.closeLocked() // the others have waited longer

	return nil
}

// keep takes back a connection on which nothing is under way.
func (p *pool) keep(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if len(p.idle) == maxIdle {
		_ = c.Close()

		return
	}

	c.reused, c.usedAt = true, time.Now()
	p.idle = append(p.idle, c)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.closeLocked()
}

func (p *pool) closeLocked() {
	for _, c := range p.idle {
		_ = c.Close()
	}

	p.idle = nil
}
