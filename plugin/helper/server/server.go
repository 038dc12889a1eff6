// Package server is the root helper's side of the boundary: it answers the fixed verbs of package helper to the users that may ask,
// within bounds that no peer can exceed, and ends when nobody has asked for a while.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

const (
	// headerLimit is how long a peer may take to say what it wants, and maxHeader how much it may say.
	headerLimit = 2 * time.Second
	maxHeader   = 4 << 10
	// writeLimit is what a peer has, beside the verb's own time, to take an answer.
	writeLimit = 5 * time.Second
	// keepAlive is longer than a client keeps a connection that it does not use.
	keepAlive = 2 * time.Minute
	// stopLimit is what requests have to end when the helper does. Of those that do not the connection is cut: the client asks again.
	stopLimit = 500 * time.Millisecond
	// silenceLimit is what a peer that has just connected has then to say what it wants.
	silenceLimit = 100 * time.Millisecond
)

// Handler does what a verb stands for. A result of []byte is sent as text, any other as JSON.
type Handler func(context.Context, helper.Request) (any, error)

// Options are what a server is made of.
type Options struct {
	Version string
	// Handlers has one for each verb but VerbStatus.
	Handlers map[helper.Verb]Handler
	// Allowed tells which users may ask.
	Allowed func(uid uint32) bool
	// IdleExit is how long after the last answer Serve ends.
	IdleExit time.Duration
	// Busy tells that something is under way that no request waits for, and that Serve must not end yet; nil if there never is.
	Busy func() bool
	// Configuration is why nothing but the status is answered; nil where all is well.
	Configuration error
	Log           *log.Logger

	stuckAfter time.Duration // 0 but in tests
}

// Server answers requests until it is idle.
type Server struct {
	options Options
	started time.Time
	// base ends with the server, and with it all work.
	base   context.Context
	cancel context.CancelFunc
	peers  *peerListener
	// root and others never wait for each other.
	root, others *lane
	// stuck gets the error of work that does not end.
	stuck chan error

	// active are the requests and the work under way.
	active                             atomic.Int64
	lastActive                         atomic.Int64
	requests, failures, sharedRequests atomic.Uint64
}

// New makes a server.
func New(o Options) *Server {
	o.stuckAfter = cmp.Or(o.stuckAfter, stuckAfter)
	s := &Server{
		options: o, started: time.Now(), stuck: make(chan error, 1),
		root: newLane(), others: newLane(), peers: newPeerListener(o),
	}
	s.base, s.cancel = context.WithCancel(context.Background())
	s.touch()

	return s
}

// Serve answers on the listener until ctx ends, or nobody has asked for the idle time; then its error is nil.
func (s *Server) Serve(ctx context.Context, listener *net.UnixListener) error {
	defer s.cancel()

	s.peers.UnixListener = listener
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerLimit,
		ReadTimeout:       headerLimit,
		WriteTimeout:      writeLimit,
		IdleTimeout:       keepAlive,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          s.options.Log,
		ConnContext:       withConn,

		DisableGeneralOptionsHandler: true,
	}

	ended := make(chan error, 1)

	go func() {
		ended <- server.Serve(s.peers)
		close(ended)
	}()

	err := s.wait(ctx, ended)
	s.end(server, ended)

	return err
}

// end answers whoever has connected. Whoever comes now finds the next helper, for systemd keeps the socket.
func (s *Server) end(server *http.Server, ended <-chan error) {
	_ = s.peers.Close()
	<-ended
	server.SetKeepAlivesEnabled(false)

	// A request that net/http reads during its Shutdown is dropped.
	for limit := time.Now().Add(silenceLimit); s.peers.conns.anyNew() && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}

	stopping, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()

	if server.Shutdown(stopping) != nil {
		_ = server.Close() // what still runs has had its time
	}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.begin()()

	lane := s.others

	if c := connOf(r.Context()); c != nil {
		c.heard.Store(true)
		c.serving.Store(true)
		defer c.serving.Store(false)

		if c.root {
			lane = s.root
		}
	}

	w.Header().Set(helper.VersionHeader, s.options.Version)

	request, err := helper.ParseRequest(r.Method, r.RequestURI)
	if err == nil && r.ContentLength != 0 {
		err = fmt.Errorf("%w: it has a body", helper.ErrMalformed)
	}

	s.requests.Add(1)

	if err != nil {
		w.Header().Set("Connection", "close")
		s.fail(w, err)

		return
	}

	result, err := s.do(r.Context(), w, lane, request)
	if err != nil {
		s.fail(w, err)

		return
	}

	write(w, http.StatusOK, result)
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	s.failures.Add(1)

	f, ok := errors.AsType[*failure](err)

	switch {
	case ok:
	case errors.Is(err, helper.ErrMalformed):
		f = &failure{helper.CodeMalformed, err.Error()}
	case errors.Is(err, helper.ErrUnknownVerb):
		f = &failure{helper.CodeUnknownVerb, err.Error()}
	default:
		f = &failure{helper.CodeOf(err), err.Error()}
	}

	write(w, f.status(), f.answer())
}
