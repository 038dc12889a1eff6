package badsite

// noAddressOfOurs is of a range for documentation (RFC 5737).
const noAddressOfOurs = "192.0.2.254"

func connectBehaviors() []Behavior {
	return []Behavior{Refused(), SynDropped(), Crowded(), Unreachable(), SourceNotOurs()}
}

// Refused has nobody listen on the port.
func Refused() Behavior {
	return Behavior{Name: "connect_refused", Does: "holds the port and does not listen", Reason: "connect_refused", Phase: "connect", reception: refusing}.probed()
}

// SynDropped leaves the SYN without an answer, by a socket filter or, where the kernel lets the caller filter no TCP, by a full queue.
func SynDropped() Behavior {
	return Behavior{Name: "connect_timeout", Does: "drops the SYN, as a firewall does", Reason: "connect_timeout", Phase: "connect", reception: dropping}.timesOut()
}

// Crowded leaves the SYN without an answer because the queue is full.
func Crowded() Behavior {
	return Behavior{Name: "backlog_full", Does: "has no room in its queue and does not accept, as a hung server", Reason: "connect_timeout", Phase: "connect", reception: crowded}.timesOut()
}

// Unreachable gives an address that TCP has no route to.
func Unreachable() Behavior {
	return Behavior{Name: "connect_unreachable", Does: "has an address without a route: ENETUNREACH", Reason: "connect_unreachable", Phase: "connect", reception: unreachable}.probed()
}

// SourceNotOurs asks for a source address that the host does not have: the probe cannot even try.
func SourceNotOurs() Behavior {
	b := Behavior{Name: "source_not_ours", Does: "would answer, but the probe's source address is not one of the host's", Reason: "local_error", Phase: "connect", answer: says(whole(200, goodPage))}
	b.Probe.Source = noAddressOfOurs
	return b.probed()
}
