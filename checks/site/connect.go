package site

import (
	"net"
	"net/netip"
	"time"
)

const (
	// nextAddressAfter is how long an address may take alone. Browsers wait for 250 ms (RFC 8305, section 5), Go's own
	// dialer for 300 ms.
	nextAddressAfter = 300 * time.Millisecond
	// maxAddresses bounds how many addresses of a name are tried, and maxAttempts how many are reported.
	maxAddresses = 16
	maxAttempts  = 8
	errorLimit   = 128
)

// ConnectAttempt is what came of one of several addresses.
type ConnectAttempt struct {
	Address string `json:"address"`
	// StartS is when it was tried, from the start of phase connect, and TookS how long.
	StartS float64 `json:"start_s"`
	TookS  float64 `json:"took_s"`
	// Error is why it failed; empty for the address that was used.
	Error string `json:"error"`
}

// connect returns a connection to the first address that gives one.
func (h *hop) connect(addresses []netip.AddrPort) (net.Conn, error) {
	if len(addresses) == 1 {
		h.waitFor(addresses[0])

		return h.prober.dialer.DialContext(h.ctx, h.prober.network("tcp"), addresses[0].String())
	}

	r := &race{hop: h, addresses: alternate(addresses), done: make(chan *attempt, maxAddresses), start: h.prober.now()}

	return r.run()
}

// waitFor notes the address that a probe which times out now has waited for.
func (h *hop) waitFor(address netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remote = address.String()
}

// alternate keeps the resolver's order and takes turns between the versions of IP (RFC 8305, section 4), so that one that
// is dead as a whole delays the other once.
func alternate(all []netip.AddrPort) []netip.AddrPort {
	var first, second []netip.AddrPort

	for _, address := range all {
		if address.Addr().Is4() == all[0].Addr().Is4() {
			first = append(first, address)
		} else {
			second = append(second, address)
		}
	}

	var mixed []netip.AddrPort

	for i := range max(len(first), len(second)) {
		for _, version := range [][]netip.AddrPort{first, second} {
			if i < len(version) {
				mixed = append(mixed, version[i])
			}
		}
	}

	return mixed[:min(len(mixed), maxAddresses)]
}
