package site

import "zabbix-agent2-plugin-hosting/checks/enum"

// Reason is what a probe found. The numbers are stable: value maps and triggers rely on them.
type Reason int

// The reasons of hosting.site.get.
const (
	ReasonOK                     Reason = 0
	ReasonDNSNotFound            Reason = 1
	ReasonDNSFailed              Reason = 2
	ReasonDNSTimeout             Reason = 3
	ReasonConnectRefused         Reason = 4
	ReasonConnectTimeout         Reason = 5
	ReasonConnectUnreachable     Reason = 6
	ReasonTLSFailed              Reason = 7
	ReasonTLSCertInvalid         Reason = 8
	ReasonTLSTimeout             Reason = 9
	ReasonResetBeforeRequestSent Reason = 10
	// ReasonResetBeforeResponse is a reset after the request was sent and before any byte of the answer: what a
	// process that shares the web server's port and does not serve it leaves behind.
	ReasonResetBeforeResponse  Reason = 11
	ReasonResetInResponse      Reason = 12
	ReasonClosedBeforeResponse Reason = 13
	ReasonTruncated            Reason = 14
	ReasonResponseTimeout      Reason = 15
	ReasonTransferTimeout      Reason = 16
	ReasonStatusUnexpected     Reason = 17
	ReasonBodyMismatch         Reason = 18
	ReasonBodyForbidden        Reason = 19
	ReasonRedirectLoop         Reason = 20
	ReasonProtocolError        Reason = 21
	// ReasonLocalError is a probe that this host could not make. It says nothing about the site.
	ReasonLocalError Reason = 22

	reasonCount = 23
)

var reasonNames = enum.Of[Reason]("reason",
	"ok", "dns_not_found", "dns_failed", "dns_timeout", "connect_refused", "connect_timeout", "connect_unreachable",
	"tls_failed", "tls_cert_invalid", "tls_timeout", "reset_before_request_sent", "reset_before_response",
	"reset_in_response", "closed_before_response", "truncated", "response_timeout", "transfer_timeout",
	"status_unexpected", "body_mismatch", "body_forbidden", "redirect_loop", "protocol_error", "local_error")

// String is the name in payloads, such as "reset_before_response".
func (r Reason) String() string { return reasonNames.Name(r) }

// Tested tells whether the probe says something about the site; it is false for local_error.
func (r Reason) Tested() bool { return r != ReasonLocalError }

// Reasons returns every reason's name by its number.
func Reasons() map[int]string { return reasonNames.All() }
