package site

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// finding is the reason of a result with what led to it.
type finding struct {
	reason Reason
	phase  phase
	err    error
	// canceled tells that the caller, and no timeout, ended the probe.
	canceled bool
}

// httpStart is how every answer of HTTP/1 begins.
const httpStart = "HTTP/"

// classify says why a request failed, by what its connection met; err is what the transport makes of it, or readBody
// where the answer's header is complete.
func (h *hop) classify(err error, headerRead bool) finding {
	h.stop()

	if h.ctx.Err() != nil {
		// The transport does not wait for what its dialing makes of the end.
		h.awaitDial()
	}

	h.mu.Lock()
	defer h.mu.Unlock()

	found := finding{phase: h.phase, err: err}

	if h.dialErr != nil {
		found.err = h.dialErr
	}

	switch {
	case errors.Is(h.ctx.Err(), context.Canceled):
		found.reason, found.canceled = ReasonLocalError, true
	case isPanic(found.err), h.phase == phaseOther && !isTimeout(err):
		// What the transport refuses before it dials is a fault of the target, such as a method that is none.
		found.reason = ReasonLocalError
	case h.phase <= phaseResolve:
		found.reason = h.resolveReason(found.err)
	case h.phase == phaseConnect:
		found.reason = h.connectReason(found.err, h.remote)
	case h.phase == phaseTLS:
		found.reason = h.tlsReason(found.err)
	default:
		found.reason = h.exchangeReason(err, headerRead)
	}

	return found
}

func (h *hop) resolveReason(err error) Reason {
	var (
		dns     *net.DNSError
		address *net.AddrError
	)

	switch {
	case isLocal(err) || isLocal(h.resolverErr):
		return ReasonLocalError
	case h.toLiteral() && !isTimeout(err):
		// An address needs no DNS: the target wants another version of IP than it has.
		return ReasonLocalError
	case !isTimeout(err) && (errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &address)):
		return ReasonDNSNotFound
	case !h.resolverInReach():
		return ReasonLocalError
	case isTimeout(err):
		return ReasonDNSTimeout
	}

	return ReasonDNSFailed
}

// connectReason is of one address; h.mu may be locked or not.
func (h *hop) connectReason(err error, address string) Reason {
	switch {
	case isLocal(err) || isPanic(err):
		return ReasonLocalError
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonConnectRefused
	case isReset(err):
		return ReasonResetBeforeRequestSent
	case !h.networkUp(address):
		return ReasonLocalError
	case isTimeout(err):
		return ReasonConnectTimeout
	}

	return ReasonConnectUnreachable
}

func (h *hop) tlsReason(err error) Reason {
	var (
		certificate *certificateError
		roots       x509.SystemRootsError
	)

	switch {
	case errors.As(err, &roots):
		return ReasonLocalError
	case errors.As(err, &certificate):
		return ReasonTLSCertInvalid
	case isReset(err) || isReset(h.netErr):
		return ReasonResetBeforeRequestSent
	case isTimeout(err):
		return ReasonTLSTimeout
	}

	return ReasonTLSFailed
}

// exchangeReason is for what happens once there is a connection.
func (h *hop) exchangeReason(err error, headerRead bool) Reason {
	var alert tls.AlertError

	switch {
	case isReset(h.netErr) || isReset(err):
		return h.resetReason()
	case isTimeout(err) || isTimeout(h.netErr) || (h.netErr == nil && h.ctx.Err() != nil):
		if headerRead || h.answered {
			return ReasonTransferTimeout
		}

		return ReasonResponseTimeout
	case !h.answered && !h.sent && !h.http2 && isEnd(h.netErr):
		// No server ends an exchange in order before it has the request.
		return ReasonResetBeforeRequestSent
	case !h.answered && (isEnd(err) || isEnd(h.netErr)):
		return ReasonClosedBeforeResponse
	case h.over && !headerRead && !strings.HasPrefix(httpStart, string(h.opening)):
		return ReasonProtocolError
	case h.over || isEnd(err):
		// The transport calls half of a header line malformed, and an end among the trailers by a name of its own.
		return ReasonTruncated
	case errors.As(err, &alert):
		return ReasonTLSFailed
	}

	return ReasonProtocolError
}

func (h *hop) resetReason() Reason {
	switch {
	case h.answered:
		return ReasonResetInResponse
	case h.sent:
		return ReasonResetBeforeResponse
	}

	return ReasonResetBeforeRequestSent
}

// networkUp tells whether the host could reach such an address at all. Loopback needs no network.
func (h *hop) networkUp(address string) bool {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil || parsed.Addr().Unmap().IsLoopback() {
		return true
	}

	return h.prober.networkUp(parsed.Addr().Unmap())
}

// resolverInReach tells whether the last DNS server that was asked could be heard. The system's own on loopback asks others,
// and a server that the target names there is taken at its word.
func (h *hop) resolverInReach() bool {
	server, err := netip.ParseAddrPort(h.asked)
	if err != nil || !server.Addr().IsLoopback() || h.prober.target.Resolver != "" {
		return h.networkUp(h.asked)
	}

	return h.prober.networkUp(elsewhere4) || h.prober.networkUp(elsewhere6)
}

func (h *hop) toLiteral() bool {
	host, _ := h.destination()
	_, err := netip.ParseAddr(host)

	return err == nil
}
