package baddns

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	// Name is a name that every server knows, with the addresses 127.0.0.1 and ::1 unless its Zone says other.
	Name = "site.test"

	patience   = 5 * time.Second
	impatience = 300 * time.Millisecond
)

// Behavior is one way to treat a resolver. Behaviors are made by the functions of this package.
type Behavior struct {
	// Name is the behavior's own, in lower case with underscores.
	Name string
	// Does says in a sentence what the resolver meets.
	Does string
	// Reason names what a probe that asks for Ask must report, as checks/site does; "ok" where the name is resolved.
	Reason string
	// Ask is the name to ask for.
	Ask string
	// Timeout is the whole probe's: long where nothing is to time out, short where something is.
	Timeout time.Duration

	// closed has nobody listen.
	closed bool
	udp    respond
	tcp    respond
}

// respond returns the reply to a question, and none where there is to be silence.
type respond func(z Zone, q question) []byte

// Behaviors returns all behaviors in the order of their reasons.
func Behaviors() []Behavior {
	return []Behavior{
		Answers(), Slow(impatience / 3), TruncatedUDP(),
		NotFound(), NoAddress(),
		ServerFailure(), Refused(), Closed(),
		Silent(), WrongID(), Garbage(), TruncatedSilentTCP(),
	}
}

// Answers gives the addresses of its zone.
func Answers() Behavior {
	return Behavior{Name: "answers", Does: "gives the name's addresses", Reason: "ok", udp: truthful, tcp: truthful}.asked()
}

// Slow does so after d, which must be below the resolver's timeout.
func Slow(d time.Duration) Behavior {
	late := func(z Zone, q question) []byte {
		time.Sleep(d)
		return truthful(z, q)
	}
	b := Behavior{Name: "slow", Does: fmt.Sprintf("gives the name's addresses after %s", d), Reason: "ok", udp: late, tcp: late}.asked()
	b.Timeout = d + patience
	return b
}

// TruncatedUDP has the resolver ask again by TCP.
func TruncatedUDP() Behavior {
	return Behavior{Name: "truncated_udp", Does: "answers by TCP what it cuts off by UDP", Reason: "ok", udp: cutOff, tcp: truthful}.asked()
}

// NotFound is asked for a name that its zone lacks.
func NotFound() Behavior {
	return always("nxdomain", "says that there is no such name", "dns_not_found", nxDomain)
}

// NoAddress knows the name and none of its addresses.
func NoAddress() Behavior {
	return always("no_address", "knows the name and no address of it", "dns_not_found", noError)
}

// ServerFailure says SERVFAIL.
func ServerFailure() Behavior {
	return always("servfail", "says that it failed", "dns_failed", servFail)
}

// Refused says REFUSED.
func Refused() Behavior { return always("refused", "refuses to answer", "dns_failed", refused) }

// Closed gives up its port at once: UDP gets port unreachable, TCP a reset.
func Closed() Behavior {
	return Behavior{Name: "closed", Does: "has nobody listen on its port", Reason: "dns_failed", closed: true}.asked()
}

// Silent never answers.
func Silent() Behavior {
	return Behavior{Name: "silent", Does: "never answers", Reason: "dns_timeout", udp: silence, tcp: silence}.timesOut()
}

// WrongID answers another question, as a forger would: resolvers wait on.
func WrongID() Behavior {
	other := func(z Zone, q question) []byte {
		q.id++
		return truthful(z, q)
	}
	return Behavior{Name: "wrong_id", Does: "answers with another id", Reason: "dns_timeout", udp: other, tcp: silence}.timesOut()
}

// Garbage answers what is no message: resolvers wait on.
func Garbage() Behavior {
	return Behavior{Name: "garbage", Does: "answers what is no message", Reason: "dns_timeout", udp: func(Zone, question) []byte { return []byte("garbage") }, tcp: silence}.timesOut()
}

// TruncatedSilentTCP has the resolver ask again by TCP, in vain.
func TruncatedSilentTCP() Behavior {
	return Behavior{Name: "truncated_silent_tcp", Does: "cuts off its answer by UDP and gives none by TCP", Reason: "dns_timeout", udp: cutOff, tcp: silence}.timesOut()
}

func always(name, does, reason string, code rcode) Behavior {
	answer := func(_ Zone, q question) []byte { return reply(q, code, false, nil) }
	return Behavior{Name: name, Does: does, Reason: reason, udp: answer, tcp: answer}.asked()
}

func truthful(z Zone, q question) []byte {
	addresses, known := z[q.name]
	if !known {
		return reply(q, nxDomain, false, nil)
	}
	var fit []netip.Addr
	for _, address := range addresses {
		if q.class == classIN && (q.kind == typeA && address.Is4() || q.kind == typeAAAA && address.Is6()) {
			fit = append(fit, address)
		}
	}
	return reply(q, noError, false, fit)
}

func cutOff(_ Zone, q question) []byte { return reply(q, noError, true, nil) }

func silence(Zone, question) []byte { return nil }

func (b Behavior) asked() Behavior {
	b.Ask, b.Timeout = Name, patience
	return b
}

func (b Behavior) timesOut() Behavior {
	b.Ask, b.Timeout = Name, impatience
	return b
}
