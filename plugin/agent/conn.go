package agent

import (
	"bufio"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
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

// writeNow writes as much as the socket takes without waiting, and returns how much that was. An error is left for the next
// read or write to find.
func (c *frameConn) writeNow(b []byte) (written int) {
	socket, ok := c.conn.(syscall.Conn)
	if !ok {
		return 0
	}

	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}

	_ = raw.Control(func(fd uintptr) {
		written, _ = unix.SendmsgN(int(fd), b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	})

	return max(written, 0)
}

func (c *frameConn) send(message any) error {
	f, err := newFrame(message)
	if err != nil {
		return err
	}

	return c.write(f)
}

func (c *frameConn) close() { _ = c.conn.Close() }
