// Package baddns is a name server on the loopback interface that fails on demand, in one way per DNS reason of checks/site.
package baddns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

const (
	maxMessage   = 4096
	portAttempts = 20
)

// Zone holds the addresses of names, which are in lower case and without the last dot.
type Zone map[string][]netip.Addr

// Server answers on the same port of UDP and TCP. Its methods may be called from any goroutine.
type Server struct {
	address  string
	zone     Zone
	behavior atomic.Pointer[Behavior]
	asked    atomic.Int64
	udp      net.PacketConn
	tcp      net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

// Start starts a server that behaves like b. A nil zone has the addresses 127.0.0.1 and ::1 for Name. The caller must call Close.
func Start(b Behavior, zone Zone) (*Server, error) {
	if zone == nil {
		zone = Zone{Name: {netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}}
	}
	s := &Server{zone: zone, open: map[net.Conn]struct{}{}}
	s.behavior.Store(&b)
	if err := s.listen(); err != nil {
		return nil, err
	}
	if b.closed {
		s.Close()
		return s, nil
	}
	s.running.Go(s.serveUDP)
	s.running.Go(s.serveTCP)
	return s, nil
}

// listen takes a port that is free for UDP and for TCP.
func (s *Server) listen() error {
	var lastErr error
	for range portAttempts {
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("cannot listen for questions: %w; bring up the loopback interface", err)
		}
		s.address = udp.LocalAddr().String()
		tcp, err := net.Listen("tcp4", s.address)
		if err == nil {
			s.udp, s.tcp = udp, tcp
			return nil
		}
		lastErr = errors.Join(err, udp.Close())
	}
	return fmt.Errorf("cannot find a port that is free for UDP and TCP: %w; stop programs that hold ports", lastErr)
}

// Set has the server answer like b from now on. Only Start makes a server that is closed.
func (s *Server) Set(b Behavior) error {
	if b.closed {
		return errors.New("cannot close the port of a name server that runs; start one with that behavior")
	}
	s.behavior.Store(&b)
	return nil
}

// Addr is the server's address and port.
func (s *Server) Addr() string { return s.address }

// Asked returns how many questions the server read.
func (s *Server) Asked() int64 { return s.asked.Load() }

// Close gives up the port and waits until nothing of the server runs. It may be called again.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	_ = s.udp.Close()
	_ = s.tcp.Close()
	s.running.Wait()
}

func (s *Server) serveUDP() {
	buffer := make([]byte, maxMessage)
	for {
		n, client, err := s.udp.ReadFrom(buffer)
		if err != nil {
			return
		}
		q, err := parseQuery(append([]byte(nil), buffer[:n]...))
		if err != nil {
			continue
		}
		s.asked.Add(1)
		b := s.behavior.Load()
		s.running.Go(func() {
			if answer := b.udp(s.zone, q); answer != nil {
				// A client that is gone is no matter.
				_, _ = s.udp.WriteTo(answer, client)
			}
		})
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		if !s.admit(conn) {
			_ = conn.Close()
			return
		}
		s.running.Go(func() {
			s.answerTCP(conn)
			_ = conn.Close()
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		})
	}
}

func (s *Server) admit(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[conn] = struct{}{}
	return true
}

// answerTCP answers one client's questions, each with its length before it (RFC 1035, section 4.2.2), until it leaves.
func (s *Server) answerTCP(conn net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		q, err := parseQuery(message)
		if err != nil {
			return
		}
		s.asked.Add(1)
		if answer := s.behavior.Load().tcp(s.zone, q); answer != nil {
			framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
			if _, err := conn.Write(framed); err != nil {
				return
			}
		}
	}
}

// Resolver returns a resolver that asks only this server.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, s.address)
	}}
}
