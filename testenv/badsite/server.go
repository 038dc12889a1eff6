package badsite

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Server is a site on a port of its own, which it keeps whatever it does there. Its methods may be called from any goroutine.
type Server struct {
	port      int
	authority *Authority
	address   [4]byte
	// place is a socket that is bound and never listens, so that the port stays ours.
	place    int
	behavior atomic.Pointer[Behavior]
	accepted atomic.Int64
	requests atomic.Int64
	visits   sync.WaitGroup

	mu     sync.Mutex
	stage  *stage
	other  *Server
	open   map[*net.TCPConn]struct{}
	closed bool
}

// Option changes how a server is made.
type Option func(*Server)

// WithAuthority has the server's certificates signed by a, so that one pool does for many servers.
func WithAuthority(a *Authority) Option { return func(s *Server) { s.authority = a } }

// Start starts a server that behaves like b. The caller must call Close.
func Start(b Behavior, options ...Option) (*Server, error) {
	return start(b, [4]byte{127, 0, 0, 1}, options...)
}

func start(b Behavior, address [4]byte, options ...Option) (*Server, error) {
	s := &Server{address: address, place: -1, open: map[*net.TCPConn]struct{}{}}
	for _, option := range options {
		option(s)
	}
	if s.authority == nil {
		authority, err := NewAuthority()
		if err != nil {
			return nil, err
		}
		s.authority = authority
	}
	if err := s.takePlace(); err != nil {
		return nil, err
	}
	if err := s.Set(b); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Set has the server treat all connections that it accepts from now on like b.
// Where b receives connections in another way, those that wait to be accepted are reset; those that are served stay what they were.
func (s *Server) Set(b Behavior) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("cannot set the behavior of a server that is closed; start another")
	}
	if err := s.accompany(b.companion); err != nil {
		return err
	}
	if s.stage != nil && s.stage.reception == b.reception {
		s.behavior.Store(&b)
		return nil
	}
	s.stage.close()
	s.behavior.Store(&b)
	var err error
	s.stage, err = s.receive(b.reception)
	return err
}

// Behavior returns what was last set.
func (s *Server) Behavior() Behavior { return *s.behavior.Load() }

// Outage is the death of the site: it resets all connections and refuses new ones until d is over. It returns then.
func (s *Server) Outage(d time.Duration) error {
	before := s.Behavior()
	if err := s.Set(Refused()); err != nil {
		return err
	}
	s.resetAll()
	time.Sleep(d)
	return s.Set(before)
}

// URL is what to ask now, by address.
func (s *Server) URL() string { return s.urlOf(s.Addr()) }

// NamedURL is what to ask now, by the name Host, for probes that connect to Addr.
func (s *Server) NamedURL() string { return s.urlOf(net.JoinHostPort(Host, fmt.Sprint(s.port))) }

func (s *Server) urlOf(host string) string {
	b := s.behavior.Load()
	scheme := "http://"
	if b.TLS {
		scheme = "https://"
	}
	return scheme + host + b.Probe.Path
}

// Addr is the address and port to connect to.
func (s *Server) Addr() string {
	ip := net.IP(s.address[:])
	if s.behavior.Load().reception == unreachable {
		// The broadcast address of the loopback network has no route for TCP: connect gives ENETUNREACH.
		ip = net.IPv4(127, 255, 255, 255)
	}
	return net.JoinHostPort(ip.String(), fmt.Sprint(s.port))
}

// Authority is the one that signed the server's certificates.
func (s *Server) Authority() *Authority { return s.authority }

// Accepted returns how many connections the server accepted.
func (s *Server) Accepted() int64 { return s.accepted.Load() }

// Requests returns how many requests the server read whole.
func (s *Server) Requests() int64 { return s.requests.Load() }

// Close resets all connections, gives up the port and waits until nothing of the server runs. It may be called again.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	if first {
		s.stage.close()
	}
	other := s.other
	s.mu.Unlock()
	s.resetAll()
	s.visits.Wait()
	if !first {
		return
	}
	if other != nil {
		other.Close()
	}
	if s.place >= 0 {
		_ = unix.Close(s.place)
	}
}

func (s *Server) resetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
}

// accept serves what arrives at the listener until it is closed.
func (s *Server) accept(listener *net.TCPListener) {
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			return
		}
		b := s.behavior.Load()
		if !s.admit(conn) {
			_ = conn.Close()
			return
		}
		s.visits.Go(func() {
			s.serve(conn, b)
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		})
	}
}

// admit counts a connection, unless the server is closed.
func (s *Server) admit(conn *net.TCPConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[conn] = struct{}{}
	s.accepted.Add(1)
	return true
}
