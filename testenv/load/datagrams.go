package load

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	defaultPerSecond = 3000
	// answerLimit is when a client sends its next datagram though the last one was not answered.
	answerLimit = 500 * time.Millisecond
	// grace is how long after the end an answer may still come.
	grace = time.Second
	// maxUnanswered is for how many datagrams a late answer is waited for.
	maxUnanswered = 2048
)

// Datagrams describe UDP clients, each of which waits for one answer to each of its datagrams. At most one per client is
// under way, so that a busy machine does not drop any for want of room.
type Datagrams struct {
	// Address is a port of 127.0.0.0/8 that answers each datagram with one.
	Address string
	// Number of clients, 64 where 0.
	Number int
	// PerSecond is how many all clients send at most, 3,000 where 0.
	PerSecond int
	// Limit ends all after this time, 30 s where 0.
	Limit time.Duration
}

// DatagramReport is what UDP clients met.
type DatagramReport struct {
	Sent, Answered int64
	// Lost datagrams were not answered at all: somebody else got them. A lost one keeps its client from sending for 0.5 s, so their share is a lower bound.
	Lost int64
	// Refused ones found nobody on the port.
	Refused int64
	// Duration is from the start to the end of the last client.
	Duration time.Duration
}

// String is the report on one line.
func (r DatagramReport) String() string {
	return fmt.Sprintf("%d datagrams in %s: %d answered, %d lost, %d refused", r.Sent, r.Duration.Round(time.Millisecond), r.Answered, r.Lost, r.Refused)
}

// DatagramRun is UDP clients at work.
type DatagramRun struct {
	*run
	address  *net.UDPAddr
	number   int
	interval time.Duration

	mu     sync.Mutex
	report DatagramReport
	// unanswered are sockets whose last datagram was not answered yet.
	unanswered []*net.UDPConn
	failed     error
}

// StartDatagrams starts UDP clients. The caller must call Stop.
func StartDatagrams(d Datagrams) (*DatagramRun, error) {
	number, err := clientsFor(d.Address, d.Number)
	if err != nil {
		return nil, err
	}
	address, err := net.ResolveUDPAddr("udp4", d.Address)
	if err != nil {
		return nil, err
	}
	perSecond := d.PerSecond
	if perSecond <= 0 {
		perSecond = defaultPerSecond
	}
	started := &DatagramRun{address: address, number: number, interval: time.Second * time.Duration(number) / time.Duration(perSecond)}
	started.run = start(number, d.Limit, started.client)
	return started, nil
}

// StartDatagramsT is StartDatagrams for tests: the clients are stopped at the test's end.
func StartDatagramsT(tb testing.TB, d Datagrams) *DatagramRun {
	tb.Helper()
	started, err := StartDatagrams(d)
	return endAtEnd(tb, started, err)
}

// Unanswered is how many datagrams have had no answer within 0.5 s so far.
func (d *DatagramRun) Unanswered() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.unanswered)
}

// Stop ends the clients, waits for late answers, and reports. It may be called again.
func (d *DatagramRun) Stop() (DatagramReport, error) {
	d.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	deadline := time.Now().Add(grace)
	for _, conn := range d.unanswered {
		if receive(conn, deadline) == nil {
			d.report.Answered++
		} else {
			d.report.Lost++
		}
		_ = conn.Close()
	}
	d.unanswered = nil
	d.report.Duration = d.elapsed
	return d.report, d.failed
}

// client sends on one socket after another: one that waits for an answer is not used again.
func (d *DatagramRun) client(r *run, index int) {
	var conn *net.UDPConn
	var err error
	// Clients that sent at one moment would all meet, or all miss, a moment at which somebody takes their datagrams.
	next := time.Now().Add(d.interval * time.Duration(index) / time.Duration(d.number))
	for ; err == nil && !r.over(); next = next.Add(d.interval) {
		r.pause(time.Until(next))
		if conn == nil {
			if conn, err = net.DialUDP("udp4", &net.UDPAddr{IP: source(index)}, d.address); err != nil {
				break
			}
		}
		if _, err = conn.Write([]byte{0}); err == nil {
			err = receive(conn, time.Now().Add(answerLimit))
		}
		conn, err = d.count(conn, err)
	}
	if conn != nil {
		_ = conn.Close()
	}
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.failed = fmt.Errorf("cannot send datagrams: %w; allow more open files", err)
	}
}

// count counts a datagram, and returns the socket where it serves for the next one, and the error where none can be sent.
func (d *DatagramRun) count(conn *net.UDPConn, err error) (*net.UDPConn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report.Sent++
	switch {
	case err == nil:
		d.report.Answered++
	case errors.Is(err, syscall.ECONNREFUSED):
		d.report.Refused++
	case errors.Is(err, os.ErrDeadlineExceeded):
		if len(d.unanswered) < maxUnanswered {
			d.unanswered = append(d.unanswered, conn)
		} else {
			d.report.Lost++
			_ = conn.Close()
		}
		return nil, nil
	default:
		return conn, err
	}
	return conn, nil
}

// receive reads one answer.
func receive(conn *net.UDPConn, deadline time.Time) error {
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 64))
	return err
}
