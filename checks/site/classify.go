package site

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
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
	h.mu.Lock()
	defer h.mu.Unlock()

	found := finding{phase: h.phase, err: err}

	if h.dialErr != nil {
		found.err = h.dialErr
	}

	switch {
	case errors.Is(h.ctx.Err(), context.Canceled):
		found.reason, found.canceled = ReasonLocalError, true
	case h.phase <= phaseResolve:
		found.reason = h.resolveReason(found.err)
	case h.phase == phaseConnect:
		found.reason = h.connectReason(found.err)
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
	case isTimeout(err):
		return ReasonDNSTimeout
	case h.toLiteral():
		// An address needs no DNS: the target wants another version of IP than it has.
		return ReasonLocalError
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &address):
		return ReasonDNSNotFound
	case isUnreachable(h.resolverErr) && !h.networkUp(addressOf(h.resolverErr)):
		return ReasonLocalError
	}

	return ReasonDNSFailed
}

func (h *hop) connectReason(err error) Reason {
	switch {
	case isLocal(err):
		return ReasonLocalError
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonConnectRefused
	case isTimeout(err):
		return ReasonConnectTimeout
	case isReset(err):
		return ReasonResetBeforeRequestSent
	case isUnreachable(err) && !h.networkUp(h.remote):
		return ReasonLocalError
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
	case !headerRead && isEnd(h.netErr) && len(h.opening) > 0 && !strings.HasPrefix(httpStart, string(h.opening)):
		return ReasonProtocolError
	case isEnd(err), !headerRead && !h.http2 && isEnd(h.netErr):
		// The transport calls half of a header line malformed.
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

func (h *hop) toLiteral() bool {
	host, _ := h.destination()
	_, err := netip.ParseAddr(host)

	return err == nil
}

// addressOf is the address that an error of dialing names.
func addressOf(err error) string {
	var operation *net.OpError
	if errors.As(err, &operation) && operation.Addr != nil {
		return operation.Addr.String()
	}

	return ""
}

func isAny(err error, numbers ...syscall.Errno) bool {
	var number syscall.Errno

	return errors.As(err, &number) && slices.Contains(numbers, number)
}

// isLocal tells that this host lacks descriptors, memory, ports, the source address or a version of IP, or forbids its
// processes to connect (a filter of the unit's cgroup gives EPERM).
func isLocal(err error) bool {
	return isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL,
		syscall.EADDRINUSE, syscall.EAFNOSUPPORT, syscall.EPERM)
}

func isReset(err error) bool {
	return isAny(err, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED)
}

func isUnreachable(err error) bool {
	return isAny(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN)
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func isTimeout(err error) bool {
	var timed net.Error

	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timed) && timed.Timeout()
}
