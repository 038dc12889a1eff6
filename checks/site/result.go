package site

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// textLimit bounds a URL, a sentence and a body in bytes wherever they are kept.
const textLimit = 512

// Result is what one probe found, as hosting.site.probe reports it. It must not be changed: others hold it too.
type Result struct {
	// At is the Unix time of the start, in seconds.
	At         int64  `json:"at"`
	Reason     Reason `json:"reason"`
	ReasonName string `json:"reason_name"`
	// TotalS is measured on the monotonic clock and is the sum of Phases.
	TotalS float64 `json:"total_s"`
	Phases Phases  `json:"phases"`
	// Phase is where the probe failed: resolve, connect, tls, send, wait, transfer or other; empty where it did not.
	Phase string `json:"phase"`
	// Sentence tells an administrator what happened and what it hints at; empty where all is well.
	Sentence string `json:"sentence"`
	// Status is the last answer's, 0 without one.
	Status   int    `json:"status"`
	Protocol string `json:"protocol"`
	// Bytes is the length of the body as it was received, before it was decoded.
	Bytes  int64  `json:"bytes"`
	Remote string `json:"remote"`
	Local  string `json:"local"`
	// ConnectAttempts are the first 8 addresses that were tried where the first did not answer at once. Another one that did
	// may have made the probe a success.
	ConnectAttempts []ConnectAttempt `json:"connect_attempts,omitempty"`
	TLSVersion      string           `json:"tls_version"`
	// CertificateExpiresAt is the Unix time at which the site's own certificate ends; nil without TLS.
	CertificateExpiresAt *int64   `json:"certificate_expires_at,omitempty"`
	CertificateDays      *float64 `json:"certificate_days,omitempty"`
	// Hops are the requests of a probe that was redirected, the last included.
	Hops []Hop `json:"hops,omitempty"`
	// BodyStart is at most 512 bytes of the decoded body of a failure.
	BodyStart string `json:"body_start,omitempty"`
}

// Hop is one request of a probe that was redirected.
type Hop struct {
	URL    string  `json:"url"`
	Status int     `json:"status"`
	TotalS float64 `json:"total_s"`
	Phases Phases  `json:"phases"`
}

// Phases is where the time went, in seconds. No two overlap, and OtherS is what belongs to none.
type Phases struct {
	ResolveS float64 `json:"resolve_s"`
	ConnectS float64 `json:"connect_s"`
	TLSS     float64 `json:"tls_s"`
	// SendS lasts until the request has been handed to the kernel, WaitS until the first byte of the answer.
	SendS     float64 `json:"send_s"`
	WaitS     float64 `json:"wait_s"`
	TransferS float64 `json:"transfer_s"`
	OtherS    float64 `json:"other_s"`
}

// phase is a part of a probe's time. They follow each other in this order, other apart.
type phase int

const (
	phaseOther phase = iota
	phaseResolve
	phaseConnect
	phaseTLS
	phaseSend
	phaseWait
	phaseTransfer
	phaseCount
)

var phaseNames = [phaseCount]string{"other", "resolve", "connect", "tls", "send", "wait", "transfer"}

func (p phase) String() string { return phaseNames[p] }

// spent is the time in each phase. What belongs to none is the rest of the total, not spent[phaseOther].
type spent [phaseCount]time.Duration

func (s *spent) add(other *spent) {
	for i, d := range other {
		s[i] += d
	}
}

// phases rounds all down to microseconds before it takes the rest, so that the sum is exact.
func (s *spent) phases(total time.Duration) (Phases, float64) {
	rest := total.Microseconds()
	part := func(p phase) float64 {
		rest -= s[p].Microseconds()

		return microseconds(s[p].Microseconds())
	}
	p := Phases{
		ResolveS: part(phaseResolve), ConnectS: part(phaseConnect), TLSS: part(phaseTLS),
		SendS: part(phaseSend), WaitS: part(phaseWait), TransferS: part(phaseTransfer),
	}
	p.OtherS = microseconds(rest)

	return p, microseconds(total.Microseconds())
}

func microseconds(n int64) float64 { return float64(n) / 1e6 }

// days is how long a certificate still lasts.
func days(expiresAt int64, now time.Time) float64 {
	return float64(expiresAt-now.Unix()) / (24 * time.Hour).Seconds()
}

func shownURL(u *url.URL) string { return capText(displayURL(u), textLimit) }

// capText makes text valid UTF-8 of at most limit bytes, without control characters but tab and line feed: no database
// takes zero bytes, and a terminal obeys the others.
func capText(text string, limit int) string {
	text = text[:min(len(text), limit)]
	for cut := 1; cut < utf8.UTFMax && cut < len(text); cut++ {
		// A rune that the limit cuts goes as a whole.
		if at := len(text) - cut; utf8.RuneStart(text[at]) {
			if !utf8.FullRuneInString(text[at:]) {
				text = text[:at]
			}

			break
		}
	}

	return strings.Map(harmless, strings.ToValidUTF8(text, "?"))
}

// harmless keeps to one byte for each that it replaces or fewer, so that the limit holds.
func harmless(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
		return '?'
	}

	return r
}
