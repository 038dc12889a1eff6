package site

import (
	"context"
	"net"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

// hop is one request of a probe on its own connection. The transport's goroutines tell it how far they got.
type hop struct {
	prober *Prober
	// ctx ends with the probe. The transport's own context for dialing does not.
	ctx context.Context
	url *url.URL

	mu      sync.Mutex
	phase   phase
	since   time.Time
	start   time.Time
	spent   spent
	ended   bool
	dialing chan struct{}
	conn    *conn

	http2        bool
	wroteRequest bool
	sent         bool
	answered     bool
	// netErr is the first error of the connection itself, dialErr why there is none.
	netErr, dialErr error
	// resolverErr is why the DNS server could not be asked.
	resolverErr error
	// opening is how an answer of HTTP/1 begins, and over that all of it was read that came.
	opening []byte
	over    bool
	// lookups are the connections to DNS servers, and asked is the last server.
	lookups []net.Conn
	asked   string
	// withheld tells that user, password or cookies were not sent.
	withheld bool
	remote   string
	local    string
	attempts []ConnectAttempt
	tls      tlsFacts
}

type hopKey struct{}

func newHop(ctx context.Context, p *Prober, to *url.URL) *hop {
	now := p.now()

	return &hop{prober: p, ctx: ctx, url: to, start: now, since: now}
}

// context is what the transport gets: it holds the hop and tells it when the request is written and answered.
func (h *hop) context() context.Context {
	return httptrace.WithClientTrace(context.WithValue(h.ctx, hopKey{}, h), &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				h.onWroteRequest()
			}
		},
		GotFirstResponseByte: h.onFirstByte,
	})
}

// enter books the time since the last call on the phase that ends, so that phases never overlap.
func (h *hop) enter(p phase) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.enterLocked(p)
}

func (h *hop) enterLocked(p phase) {
	// The transport's goroutines may be late; a server may answer before it has read all.
	if h.ended || p <= h.phase {
		return
	}

	now := h.prober.now()
	h.spent[h.phase] += now.Sub(h.since)
	h.phase, h.since = p, now
}

// onWroteRequest comes before the last write in HTTP/1, where the request still is in a buffer, and after it in HTTP/2.
func (h *hop) onWroteRequest() {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.wroteRequest = true
	// An error that was met before may have been the request's own: HTTP/2 is not told of it.
	if h.http2 && h.netErr == nil {
		h.sent = true
		h.enterLocked(phaseWait)
	}

	if h.http2 {
		h.conn.open()
	}
}

// onWritten is told of every write to the connection once it is made. It tells whether there may still be an answer to
// read after an error: HTTP/2 acknowledges while it reads.
func (h *hop) onWritten(err error) (readOn bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if err != nil {
		h.keepLocked(err)

		return h.http2 && isReset(err)
	}

	if h.wroteRequest && h.netErr == nil {
		h.sent = true
		h.enterLocked(phaseWait)
	}

	return false
}

func (h *hop) onFirstByte() {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.answered = true
	h.enterLocked(phaseTransfer)
}

// onRead keeps the answer's first bytes, which tell HTTP from anything else, and whether the transport met its end.
func (h *hop) onRead(b []byte, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if left := len(httpStart) - len(h.opening); left > 0 {
		h.opening = append(h.opening, b[:min(left, len(b))]...)
	}

	h.over = h.over || isEnd(err) && !h.ended
}

func (h *hop) speaksHTTP2() bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.http2
}

func (h *hop) onReadError(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keepLocked(err)
}

func (h *hop) keepLocked(err error) {
	// The kernel tells of a reset once. Where a long request is being written while the transport reads, the write is told
	// and the read meets an end.
	first := h.netErr == nil || isEnd(h.netErr) && isReset(err)
	if first && !h.ended {
		h.netErr = err
	}
}

// beginDial is false where the probe is over before the transport has begun to dial, and for a second connection.
func (h *hop) beginDial() bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.ended || h.dialing != nil {
		return false
	}

	h.dialing = make(chan struct{})

	return true
}

// stop books the last phase. Nothing that comes later changes the hop.
func (h *hop) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()

	if !h.ended {
		now := h.prober.now()
		h.spent[h.phase] += now.Sub(h.since)
		h.since, h.ended = now, true
	}
}

// release waits until nothing dials any more and closes the connection. The hop must be stopped and its context done.
func (h *hop) release() {
	h.mu.Lock()
	for _, lookup := range h.lookups {
		_ = lookup.Close()
	}
	h.mu.Unlock()

	h.awaitDial()

	if h.conn != nil {
		_ = h.conn.Close()
	}
}

// awaitDial returns when nothing dials any more, at once where the hop is stopped and its context done.
func (h *hop) awaitDial() {
	h.mu.Lock()
	dialing := h.dialing
	h.mu.Unlock()

	if dialing != nil {
		<-dialing
	}
}

func (h *hop) total() time.Duration { return h.since.Sub(h.start) }
