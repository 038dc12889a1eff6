package badsite

import (
	"encoding/binary"
	"io"
)

const (
	recordHeader = 5
	// The alert of RFC 8446: type 21, legacy version, length 2, level fatal, handshake_failure.
	handshakeFailure = "\x15\x03\x03\x00\x02\x02\x28"
)

func handshakeBehaviors() []Behavior {
	return []Behavior{
		PlainOnTLSPort(), HandshakeAlert(), GarbageHandshake(), ClosedInHandshake(), CertificateExpired(), CertificateNotYetValid(), CertificateWrongHost(),
		CertificateUnknownAuthority(), CertificateSelfSigned(), ExpiredButNotChecked(), SilentInHandshake(), ResetInHandshake(),
	}
}

// PlainOnTLSPort answers the hello in plain HTTP.
func PlainOnTLSPort() Behavior {
	return rawTLS("plain_http_on_tls_port", "answers the hello with a plain HTTP 400", "tls_failed", answerHello(whole(400, "plain"), orderly))
}

// HandshakeAlert refuses the hello.
func HandshakeAlert() Behavior {
	return rawTLS("handshake_alert", "answers the hello with the alert handshake_failure", "tls_failed", answerHello(handshakeFailure, orderly))
}

// GarbageHandshake answers the hello with nonsense.
func GarbageHandshake() Behavior {
	return rawTLS("handshake_garbage", "answers the hello with bytes that are no TLS", "tls_failed", answerHello("\x00\x01garbage that is no record\x00", orderly))
}

// ClosedInHandshake closes after the hello.
func ClosedInHandshake() Behavior {
	return rawTLS("handshake_closed", "closes after the hello", "tls_failed", answerHello("", orderly))
}

// ResetInHandshake resets after the hello, so always before a request can be sent.
func ResetInHandshake() Behavior {
	return rawTLS("handshake_reset", "resets after the hello", "reset_before_request_sent", answerHello("", reset))
}

// SilentInHandshake takes the hello and says nothing.
func SilentInHandshake() Behavior {
	b := rawTLS("tls_timeout", "takes the hello and says nothing", "tls_timeout", func(v *visit) ending {
		if v.hello() {
			v.wait(forever)
		}
		return orderly
	})
	return b.timesOut()
}

// CertificateExpired shows a certificate that ended three days ago.
func CertificateExpired() Behavior {
	return badCertificate("certificate_expired", "shows a certificate that ended three days ago", expired)
}

// CertificateNotYetValid shows a certificate that begins in three days.
func CertificateNotYetValid() Behavior {
	return badCertificate("certificate_not_yet_valid", "shows a certificate that begins in three days", notYetValid)
}

// CertificateWrongHost shows another host's certificate.
func CertificateWrongHost() Behavior {
	return badCertificate("certificate_wrong_host", "shows the certificate of other.test", wrongHost)
}

// CertificateUnknownAuthority shows a certificate that another authority signed.
func CertificateUnknownAuthority() Behavior {
	return badCertificate("certificate_unknown_authority", "shows a certificate of an authority that nobody knows", strangersOwn)
}

// CertificateSelfSigned shows a certificate that nobody else signed.
func CertificateSelfSigned() Behavior {
	return badCertificate("certificate_self_signed", "shows a certificate that signed itself", selfSigned)
}

// ExpiredButNotChecked is for probes that do not check certificates.
func ExpiredButNotChecked() Behavior {
	b := fine("ok_certificate_not_checked", "shows an expired certificate to a probe that does not check", says(whole(200, goodPage)))
	b.TLS, b.certificate, b.Probe.DistrustAuthority = true, expired, true
	return b
}

func badCertificate(name, does string, kind certificate) Behavior {
	return Behavior{Name: name, Does: does, Reason: "tls_cert_invalid", Phase: "tls", TLS: true, certificate: kind, answer: says(whole(200, goodPage))}.probed()
}

func rawTLS(name, does, reason string, answer func(*visit) ending) Behavior {
	return Behavior{Name: name, Does: does, Reason: reason, Phase: "tls", TLS: true, raw: true, answer: answer}.probed()
}

// answerHello answers a client's hello with text.
func answerHello(text string, how ending) func(*visit) ending {
	return func(v *visit) ending {
		if v.hello() {
			v.send(text)
		}
		return how
	}
}

// hello reads a client's hello, the first TLS record.
func (v *visit) hello() bool {
	start, err := v.in.Peek(recordHeader)
	if err != nil {
		return false
	}
	size := recordHeader + int(binary.BigEndian.Uint16(start[3:]))
	_, err = io.CopyN(io.Discard, v.in, int64(size))
	return err == nil
}
