package load

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// timeLimit is for connecting, and once more for the request.
	timeLimit          = 10 * time.Second
	defaultMaxRequests = 2_000_000
)

// request has the server close the connection, so that each request needs a new one.
const request = "GET / HTTP/1.1\r\nHost: load.test\r\nConnection: close\r\n\r\n"

// Clients describe HTTP clients, each of which sends its next request, on a connection of its own, when the last one has ended.
// Against a port that nobody listens on they count how often somebody did.
type Clients struct {
	// Address is a port of 127.0.0.0/8.
	Address string
	// Number of clients, 64 where 0.
	Number int
	// Pause is after each request.
	Pause time.Duration
	// Limit ends all after this time, 30 s where 0, and MaxRequests after so many, 2,000,000 where 0.
	Limit       time.Duration
	MaxRequests int64
}

// ClientRun is clients at work.
type ClientRun struct {
	*run
	counts *counts
}

// Start starts clients. The caller must call Stop.
func Start(c Clients) (*ClientRun, error) {
	number, err := clientsFor(c.Address, c.Number)
	if err != nil {
		return nil, err
	}
	left := &atomic.Int64{}
	left.Store(c.MaxRequests)
	if c.MaxRequests <= 0 {
		left.Store(defaultMaxRequests)
	}
	started := &ClientRun{counts: newCounts()}
	started.run = start(number, c.Limit, func(r *run, index int) {
		dialer := &net.Dialer{Timeout: timeLimit, LocalAddr: &net.TCPAddr{IP: source(index)}, Control: choosePortLate}
		for !r.over() && left.Add(-1) >= 0 {
			began := time.Now()
			outcome, err := ask(dialer, c.Address)
			started.counts.add(outcome, err, time.Since(began))
			r.pause(c.Pause)
		}
	})
	return started, nil
}

// StartT is Start for tests: the clients are stopped at the test's end.
func StartT(tb testing.TB, c Clients) *ClientRun {
	tb.Helper()
	started, err := Start(c)
	return endAtEnd(tb, started, err)
}

// Report is what has happened so far.
func (c *ClientRun) Report() Report { return c.counts.report() }

// Stop ends the clients when their requests have ended, and reports. It may be called again.
func (c *ClientRun) Stop() Report {
	c.end()
	report := c.counts.report()
	report.Duration = c.elapsed
	return report
}

// ask makes one request.
func ask(dialer *net.Dialer, address string) (outcome, error) {
	conn, err := dialer.DialContext(context.Background(), "tcp4", address)
	if err != nil {
		return atConnect(err), err
	}
	defer func() { _ = conn.Close() }()
	err = conn.SetDeadline(time.Now().Add(timeLimit))
	if err == nil {
		_, err = io.WriteString(conn, request)
	}
	var length int64
	if err == nil {
		length, err = io.Copy(io.Discard, conn)
	}
	return atRequest(length, err), err
}

// choosePortLate has the kernel choose a client's port when it knows the other end, so that one port serves for many connections; see ip(7).
func choosePortLate(_, _ string, raw syscall.RawConn) error {
	var err error
	failed := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) })
	if failed != nil {
		return failed
	}
	return err
}
