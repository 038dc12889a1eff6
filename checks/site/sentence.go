package site

import (
	"fmt"
	"strings"
	"time"
)

// sentence names the address, the phase and what the failure hints at, without the URL's user.
func (r *run) sentence(h *hop, failed finding) string {
	if failed.canceled && failed.reason == ReasonLocalError && failed.err != nil && h.dialErr == nil && h.netErr == nil {
		return capText("the probe was stopped in phase "+failed.phase.String()+" before it had a result", textLimit)
	}

	remote := h.remote
	if remote == "" {
		remote = h.url.Host
	}

	return capText(r.describe(h, failed, remote), textLimit)
}

func (r *run) describe(h *hop, failed finding, remote string) string {
	host, _ := h.destination()
	timeout := r.prober.target.Timeout.Round(time.Millisecond)

	switch failed.reason {
	case ReasonDNSNotFound:
		return fmt.Sprintf("the name %s has no address of the kind asked for: it may be mistyped, expired or deleted from its zone", host)
	case ReasonDNSFailed:
		return fmt.Sprintf("the name %s could not be resolved (%s): the DNS server may be down or the zone broken", host, shortError(failed.err))
	case ReasonDNSTimeout:
		return fmt.Sprintf("the name %s was not resolved in time: no DNS server answered", host)
	case ReasonConnectRefused:
		return fmt.Sprintf("the connection to %s was refused: nothing listens on this port", remote)
	case ReasonConnectTimeout:
		return fmt.Sprintf("the connection to %s was not accepted in time: a firewall may drop packets, or the server's queue is full", remote)
	case ReasonConnectUnreachable:
		return fmt.Sprintf("the connection to %s could not be made (%s): no route leads there, or a firewall rejects it", remote, shortError(failed.err))
	case ReasonLocalError:
		if isPanic(failed.err) {
			return faultSentence(remote, failed.phase, failed.err)
		}

		return fmt.Sprintf("the probe of %s could not be made by this host in phase %s (%s): check its open files, free ports, source address and network",
			remote, failed.phase, shortError(failed.err))
	}

	if failed.reason < ReasonResetBeforeRequestSent {
		return describeTLS(h, failed, remote)
	}

	if failed.reason < ReasonStatusUnexpected {
		return describeExchange(h, failed, remote, timeout)
	}

	return r.describeAnswer(h, failed, remote)
}

func faultSentence(remote string, at phase, err error) string {
	return fmt.Sprintf("the probe of %s met a fault of this program in phase %s (%s): report it to its authors", remote, at, shortError(err))
}

func describeTLS(h *hop, failed finding, remote string) string {
	switch failed.reason {
	case ReasonTLSCertInvalid:
		return fmt.Sprintf("the certificate that %s shows for %s cannot be trusted (%s)", remote, h.url.Hostname(), shortError(failed.err))
	case ReasonTLSTimeout:
		return fmt.Sprintf("the TLS handshake with %s did not end in time: the server accepts connections and may be too busy to serve them", remote)
	}

	return fmt.Sprintf("TLS with %s failed in phase %s (%s): the port may not speak TLS, or no version or cipher is shared",
		remote, failed.phase, shortError(failed.err))
}

func describeExchange(h *hop, failed finding, remote string, timeout time.Duration) string {
	switch failed.reason {
	case ReasonResetBeforeRequestSent:
		return fmt.Sprintf("the connection to %s was reset in phase %s, before the request was sent: the server or something before it drops connections, or another process may be accepting on this port", remote, failed.phase)
	case ReasonResetBeforeResponse:
		return fmt.Sprintf("the connection to %s was reset after the request was sent and before the first byte of the answer: "+
			"another process may be accepting on this port", remote)
	case ReasonResetInResponse:
		return fmt.Sprintf("the connection to %s was reset in the middle of the answer: the process that served it may have crashed", remote)
	case ReasonClosedBeforeResponse:
		return fmt.Sprintf("the connection to %s was closed without an answer: the server may be restarting, or refuse this client", remote)
	case ReasonTruncated:
		return fmt.Sprintf("the answer of %s ended before it was complete: the process that served it, or one behind it, may have stopped", remote)
	}

	what := "did not begin"
	if h.answered {
		what = "was not complete"
	}

	if failed.phase == phaseSend {
		return fmt.Sprintf("the request to %s could not be sent within %s: the server accepts connections and does not read", remote, timeout)
	}

	return fmt.Sprintf("the answer of %s %s within %s (phase %s): the server or the application behind it is too slow", remote, what, timeout, failed.phase)
}

func (r *run) describeAnswer(h *hop, failed finding, remote string) string {
	t := &r.prober.target

	switch failed.reason {
	case ReasonStatusUnexpected:
		return fmt.Sprintf("%s answered with status %d; expected is %s%s", remote, r.response.StatusCode, t.Status, h.withheldHint())
	case ReasonBodyMismatch:
		return fmt.Sprintf("the answer of %s (status %d) does not contain what it must: %q was not found in %d bytes",
			remote, r.response.StatusCode, capText(t.BodyMatch.String(), textLimit/4), len(r.body.text))
	case ReasonBodyForbidden:
		return fmt.Sprintf("the answer of %s (status %d) contains what it must not: %q", remote, r.response.StatusCode, capText(t.BodyForbid.String(), textLimit/4))
	case ReasonRedirectLoop:
		return fmt.Sprintf("%s redirected more than %d times, the last time with status %d: the site may redirect in a circle", remote, t.MaxRedirects, r.response.StatusCode)
	}

	if opening := string(h.opening); opening != "" && !strings.HasPrefix(httpStart, opening) {
		return fmt.Sprintf("%s did not answer in HTTP, phase %s (it began with %q): another service may use this port", remote, failed.phase, opening)
	}

	return fmt.Sprintf("%s did not answer in correct HTTP, phase %s (%s): another service may use this port", remote, failed.phase, shortError(failed.err))
}

func (h *hop) withheldHint() string {
	if !h.withheld {
		return ""
	}

	return "; user, password and cookies were not sent, as a redirect led away from the scheme, host and port that they are for"
}

func shortError(err error) string {
	if err == nil {
		return "no cause known"
	}

	return capText(err.Error(), textLimit/3)
}
