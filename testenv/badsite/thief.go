package badsite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Share is how many of the new connections a thief gets.
type Share int

const (
	// Half leaves it to the kernel's hash, which deals connections out evenly, as in the incident.
	Half Share = iota
	// All has the kernel give the thief every connection.
	All
)

// Thief is a second listener on a server's port that accepts nothing, as `nginx -t` of 1.9.1 to 1.13.3 was on a port with reuseport.
type Thief struct {
	listener *net.TCPListener
	server   *Server
}

// StartThief has another listener join the server's port through SO_REUSEPORT. The caller must call Exit.
func (s *Server) StartThief(share Share) (*Thief, error) {
	listener, err := listen(s.boundAddr(), nil)
	if err != nil {
		return nil, err
	}
	if share == All {
		// The thief is the group's second member. Where it is gone the number is too high, and the kernel's hash decides again.
		second := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1}
		program := unix.SockFprog{Len: 1, Filter: &second}
		err := control(listener, func(fd int) error {
			return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program)
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot direct connections to the thief: %w; use Linux 4.6 or newer", err), listener.Close())
		}
	}
	return &Thief{listener: listener, server: s}, nil
}

// AwaitCatch returns when a client has sent something that nobody on the port has accepted.
func (t *Thief) AwaitCatch(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for ctx.Err() == nil {
		queued, err := t.awaitQueued(10 * time.Millisecond)
		if err != nil {
			return fmt.Errorf("cannot wait for a client to rob: %w; start another thief", err)
		}
		if !queued {
			continue
		}
		caught, err := robbed(t.server.address, t.server.port)
		if err != nil {
			return err
		}
		if caught > 0 {
			return nil
		}
	}
	return fmt.Errorf("cannot see a client that was robbed: %w; connect one to %s", ctx.Err(), t.server.boundAddr())
}

// awaitQueued tells whether a connection waits to be accepted from the thief, after limit at most.
func (t *Thief) awaitQueued(limit time.Duration) (queued bool, err error) {
	err = control(t.listener, func(fd int) error {
		watched := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(watched, int(limit.Milliseconds()))
		queued = n > 0
		if errors.Is(err, unix.EINTR) {
			return nil
		}
		return err
	})
	return queued, err
}

// Exit ends the thief. The kernel resets the connections that it got.
func (t *Thief) Exit() { _ = t.listener.Close() }
