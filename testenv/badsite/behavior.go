// Package badsite is a web site on the loopback interface that fails on demand, in one way per reason of checks/site, with real effects on TCP and TLS.
package badsite

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// Host is a name that the good certificate holds beside localhost and 127.0.0.1; no resolver knows it.
	Host = "site.test"
	// Pattern is a regular expression that the good page matches, and no other answer.
	Pattern = "Hello from the test site"
	// ForbiddenPattern matches WordPress's page without its database.
	ForbiddenPattern = "Error establishing a database connection"

	// patience is the timeout of a probe that has none to wait for.
	patience = 5 * time.Second
	// impatience is the timeout of a probe that is to time out.
	impatience = 300 * time.Millisecond
)

// Behavior is one way to treat a client. Behaviors are made by the functions of this package.
type Behavior struct {
	// Name is the behavior's own, in lower case with underscores.
	Name string
	// Does says in a sentence what the client meets.
	Does string
	// Reason names what a probe must report, as checks/site does.
	Reason string
	// Also names the other reasons that a race may lead to; mostly none.
	Also []string
	// Phase is where the probe fails: connect, tls, send, wait or transfer; empty where it does not. Where a race decides, it may be another.
	Phase string
	// TLS tells that the site is asked by https.
	TLS bool
	// Probe is how to ask.
	Probe Probe

	reception   reception
	certificate certificate
	// raw tells that answer meets the client's hello itself.
	raw bool
	// speaksHTTP2 offers h2 beside http/1.1 where the connection is encrypted.
	speaksHTTP2 bool
	companion   companion
	answer      func(*visit) ending
}

// Probe is how a behavior wants to be asked. Zero values stand for the prober's defaults.
type Probe struct {
	// Path is the path of the URL.
	Path string
	// Timeout is the whole probe's: long where nothing is to time out, short where something is.
	Timeout time.Duration
	// BodyMatch and BodyForbid are the regular expressions of the body conditions.
	BodyMatch, BodyForbid string
	// Source is the local address to use.
	Source string
	// HeaderBytes is how long a header of the request has to be, more than the socket buffers of both sides hold.
	HeaderBytes int
	// HTTP2 and Gzip are to be switched on.
	HTTP2, Gzip bool
	// DistrustAuthority tells that the certificate must not be checked against the server's own authority.
	DistrustAuthority bool
}

// Behaviors returns all behaviors in the order of their reasons.
func Behaviors() []Behavior {
	return slices.Concat(goodBehaviors(), connectBehaviors(), handshakeBehaviors(), resetBehaviors(),
		brokenBehaviors(), slowBehaviors(), pageBehaviors(), redirectBehaviors())
}

// Find returns the behavior of a name.
func Find(name string) (Behavior, error) {
	var names []string
	for _, b := range Behaviors() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Behavior{}, fmt.Errorf("cannot find the behavior %q; use one of %s", name, strings.Join(names, ", "))
}

// OverTLS returns the behavior on an encrypted connection with a good certificate.
func (b Behavior) OverTLS() Behavior {
	if !b.TLS {
		b.Name, b.TLS = b.Name+"_over_tls", true
	}
	return b
}

// Behaves makes a behavior of one's own: its answer is sent as it stands after the request has been read, before an orderly close.
func Behaves(name, reason, answer string) Behavior {
	return Behavior{Name: name, Does: "answers what a test made up", Reason: reason, answer: says(answer)}.probed()
}

// Resetting returns the behavior with a reset in the place of its close.
func (b Behavior) Resetting() Behavior { return b.ending("_reset", reset) }

// Cutting returns the behavior with a close that lacks TLS's farewell.
func (b Behavior) Cutting() Behavior { return b.ending("_cut", cut) }

func (b Behavior) ending(suffix string, how ending) Behavior {
	answer := b.answer
	b.Name += suffix
	b.answer = func(v *visit) ending {
		answer(v)
		return how
	}
	return b
}

// probed fills the probe's common parts.
func (b Behavior) probed() Behavior {
	if b.Probe.Path == "" {
		b.Probe.Path = "/"
	}
	if b.Probe.Timeout == 0 {
		b.Probe.Timeout = patience
	}
	return b
}

// timesOut gives the probe a timeout that is over soon.
func (b Behavior) timesOut() Behavior {
	b.Probe.Timeout = impatience
	return b.probed()
}
