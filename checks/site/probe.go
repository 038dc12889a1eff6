package site

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const maxHeaderBytes = 128 << 10

// Prober makes probes of one target. It is safe for concurrent use and holds no connection between probes.
type Prober struct {
	target    Target
	transport *http.Transport
	dialer    net.Dialer
	networkUp func(to netip.Addr) bool
	now       func() time.Time
	// unusable is why the target cannot be probed at all.
	unusable error
}

// NewProber takes a target that NewTarget made. Probes of one that cannot be requested, such as the zero Target, are
// local errors.
func NewProber(t Target) *Prober {
	if t.Timeout <= 0 {
		t.Timeout = defaultTimeout
	}

	if t.Source.IsValid() && t.Family == 0 {
		t.Family = 4
		if t.Source.Is6() && !t.Source.Is4In6() {
			t.Family = 6
		}
	}

	p := &Prober{target: t, networkUp: networkUp, now: time.Now, unusable: checkURL(t.URL)}

	if t.Source.IsValid() {
		p.dialer.LocalAddr = &net.TCPAddr{IP: t.Source.Unmap().AsSlice(), Zone: t.Source.Zone()}
		p.dialer.Control = bindWithoutPort
	}

	// The connection does not live long enough for keep-alive probes, and Multipath TCP is not what visitors use.
	p.dialer.KeepAlive = -1
	p.dialer.SetMultipathTCP(false)

	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(t.HTTP2)

	p.transport = &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, false) },
		DialTLSContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, true) },
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		Protocols:              protocols,
	}

	return p
}

// run is one probe on its way.
type run struct {
	prober *Prober
	hops   []*hop
	shown  []Hop
	// The last answer's.
	response *http.Response
	body     body
}

// Probe requests the target once, redirects included, each on a new connection. Where ctx is canceled before the probe
// ends, its result is local_error.
func (p *Prober) Probe(ctx context.Context) *Result {
	start := p.now()
	if p.unusable != nil {
		return notMade(start, 0, p.unusable.Error())
	}

	ctx, cancel := context.WithTimeout(ctx, p.target.Timeout)
	defer cancel()

	r := &run{prober: p}
	failed := r.follow(ctx)
	total := p.now().Sub(start)

	cancel()

	for _, h := range r.hops {
		h.release()
	}

	return r.result(start, total, failed)
}

// follow makes one request after the other until one is no redirect to follow.
func (r *run) follow(ctx context.Context) finding {
	t := &r.prober.target
	to, method := t.URL, t.Method

	for {
		h := newHop(ctx, r.prober, to)
		r.hops = append(r.hops, h)

		next, failed := r.exchange(h, method)
		h.stop()
		r.note(h)

		if failed.reason != ReasonOK || next == nil {
			return failed
		}

		if len(r.hops) > t.MaxRedirects {
			return finding{reason: ReasonRedirectLoop, phase: phaseWait}
		}

		to, method = next, redirectMethod(r.response.StatusCode, method)
	}
}

// exchange makes one request and returns where to go next; nil where the answer is no redirect to follow.
func (r *run) exchange(h *hop, method string) (*url.URL, finding) {
	r.response, r.body = nil, body{}

	response, err := r.prober.transport.RoundTrip(r.request(h, method))
	if err != nil {
		return nil, h.classify(err, false)
	}
	defer response.Body.Close()

	r.response = response

	if isRedirect(response.StatusCode) && r.prober.target.MaxRedirects > 0 {
		next, err := location(h.url, response)
		if err != nil {
			return nil, finding{reason: ReasonProtocolError, phase: phaseWait, err: err}
		}

		return next, finding{}
	}

	if r.body, err = readBody(response, &r.prober.target); err != nil {
		return nil, h.classify(err, true)
	}

	h.stop()

	if reason := r.prober.target.judge(response.StatusCode, r.body.text); reason != ReasonOK {
		return nil, finding{reason: reason, phase: phaseTransfer}
	}

	return nil, finding{}
}

// note keeps what a hop took.
func (r *run) note(h *hop) {
	shown := Hop{URL: shownURL(h.url)}
	if r.response != nil {
		shown.Status = r.response.StatusCode
	}

	shown.Phases, shown.TotalS = h.spent.phases(h.total())
	r.shown = append(r.shown, shown)
}

// result puts together what the hops found. Nothing changes them any more.
func (r *run) result(start time.Time, total time.Duration, failed finding) *Result {
	last := r.hops[len(r.hops)-1]
	result := &Result{
		At: start.Unix(), Reason: failed.reason, ReasonName: failed.reason.String(),
		Bytes: r.body.received, Remote: last.remote, Local: last.local, TLSVersion: last.tls.version,
		ConnectAttempts: last.attempts,
	}

	var all spent
	for _, h := range r.hops {
		all.add(&h.spent)
	}

	result.Phases, result.TotalS = all.phases(total)

	if r.response != nil {
		result.Status, result.Protocol = r.response.StatusCode, r.response.Proto
	}

	if last.tls.expiresAt != 0 {
		result.CertificateExpiresAt = new(last.tls.expiresAt)
		result.CertificateDays = new(days(last.tls.expiresAt, start))
	}

	if len(r.hops) > 1 {
		result.Hops = r.shown
	}

	if failed.reason != ReasonOK {
		result.Phase = failed.phase.String()
		result.BodyStart = capText(string(r.body.text[:min(len(r.body.text), textLimit)]), textLimit)
		result.Sentence = r.sentence(last, failed)
	}

	return result
}
