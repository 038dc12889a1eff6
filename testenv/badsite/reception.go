package badsite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// reception is what the kernel does with a connection before the server sees it.
type reception int

const (
	// accepting serves connections.
	accepting reception = iota
	// refusing has nobody listen on the port.
	refusing
	// dropping leaves a SYN without an answer, as a firewall does.
	dropping
	// crowded leaves it without an answer because the queue of accepted connections is full, as that of a hung server is.
	crowded
	// mute answers a SYN and drops all that follows: the client is connected and nothing of it is ever acknowledged.
	mute
	// stolen lets a thief take all connections, which leaves as soon as a client has sent something.
	stolen
	// unreachable has the client connect to an address that cannot be reached.
	unreachable
)

// stage is a reception at work.
type stage struct {
	reception reception
	end       func()
}

func (s *stage) close() {
	if s != nil {
		s.end()
	}
}

// receive starts a reception.
func (s *Server) receive(how reception) (*stage, error) {
	none := &stage{reception: how, end: func() {}}
	if how == refusing || how == unreachable {
		return none, nil
	}
	filter := filterOf(how)
	listener, err := listen(s.boundAddr(), filter)
	substitute := how
	if filter != nil && errors.Is(err, unix.EPERM) {
		// Linux 6.18.44 lets only CAP_NET_ADMIN filter TCP. A full queue drops SYNs as well; what is never accepted is never answered either.
		if how == dropping {
			substitute = crowded
		}
		listener, err = listen(s.boundAddr(), nil)
	}
	if err != nil {
		return none, err
	}
	switch substitute {
	case crowded:
		return s.crowd(how, listener)
	case stolen:
		return s.rob(listener)
	case accepting:
		return &stage{reception: how, end: s.acceptOn(listener)}, nil
	}
	// What is dropped is never accepted.
	return &stage{reception: how, end: func() { _ = listener.Close() }}, nil
}

// acceptOn serves what arrives, and returns what ends that.
func (s *Server) acceptOn(listener *net.TCPListener) (end func()) {
	s.visits.Go(func() { s.accept(listener) })
	return func() { _ = listener.Close() }
}

// crowd shortens the listener's queue to one and fills it.
func (s *Server) crowd(how reception, listener *net.TCPListener) (*stage, error) {
	err := control(listener, func(fd int) error { return unix.Listen(fd, 0) })
	var filler net.Conn
	if err == nil {
		filler, err = net.DialTimeout("tcp4", s.boundAddr(), patience)
	}
	if err != nil {
		_ = listener.Close()
		return &stage{reception: how, end: func() {}}, fmt.Errorf("cannot fill the queue of the test site: %w; bring up the loopback interface", err)
	}
	return &stage{reception: how, end: func() {
		_ = filler.Close()
		_ = listener.Close()
	}}, nil
}

// rob has one thief after another take what the listener should get.
func (s *Server) rob(listener *net.TCPListener) (*stage, error) {
	thief, err := s.StartThief(All)
	if err != nil {
		_ = listener.Close()
		return &stage{reception: stolen, end: func() {}}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() {
		for ctx.Err() == nil {
			if thief.AwaitCatch(ctx, time.Second) != nil {
				continue
			}
			// The next is there before this one goes, so that no connection gets through.
			next, err := s.StartThief(All)
			if err != nil {
				break
			}
			thief.Exit()
			thief = next
		}
		thief.Exit()
	})
	end := s.acceptOn(listener)
	return &stage{reception: stolen, end: func() {
		cancel()
		gone.Wait()
		end()
	}}, nil
}

func (s *Server) boundAddr() string {
	return net.JoinHostPort(net.IP(s.address[:]).String(), fmt.Sprint(s.port))
}
