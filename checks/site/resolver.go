package site

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// resolver is the hop's own, so that no lookup is shared and none outlives the probe: without PreferGo a build with cgo
// would wait in getaddrinfo, which nothing interrupts and which says "not found" when descriptors are used up.
func (h *hop) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: h.dialResolver}
}

// dialResolver notes why a DNS server could not be asked, which the resolver's own error holds as text only. The resolver
// reads on for up to 5 s after its caller has gone, so the hop keeps its connections and closes them at its end.
func (h *hop) dialResolver(ctx context.Context, network, address string) (net.Conn, error) {
	if server := h.prober.target.Resolver; server != "" {
		address = server
	}

	h.mu.Lock()
	h.asked = address
	h.mu.Unlock()

	var dialer net.Dialer

	result, err := dialer.DialContext(ctx, network, address)

	h.mu.Lock()
	defer h.mu.Unlock()

	switch {
	case h.ended && err == nil:
		_ = result.Close()

		return nil, context.Canceled
	case err != nil:
		h.resolverErr = err

		return nil, err
	}

	h.lookups = append(h.lookups, result)

	return result, nil
}

// network is "ip" or "tcp" of the target's version of IP.
func (p *Prober) network(name string) string {
	if p.target.Family == 0 {
		return name
	}

	return name + strconv.Itoa(p.target.Family)
}

// Addresses of ranges for documentation (RFC 5737, RFC 3849): only a default route leads there.
var (
	elsewhere4 = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	elsewhere6 = netip.MustParseAddr("2001:db8::1")
)

// networkUp tells whether the host can reach others of an address's version of IP at all: an interface other than
// loopback is in operation and a route leads to the address, or at least to some other. A host with IPv4 alone cannot
// test what has only addresses of IPv6, whatever that is to its visitors.
func networkUp(to netip.Addr) bool {
	elsewhere := elsewhere4
	if to.Is6() {
		elsewhere = elsewhere6
	}

	return hasInterface(to.Is6()) && (hasRoute(to) || hasRoute(elsewhere))
}

// hasRoute asks the kernel for a route. To connect a UDP socket sends nothing.
func hasRoute(to netip.Addr) bool {
	socket, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return false
	}

	_ = socket.Close()

	return true
}

func hasInterface(ipv6 bool) bool {
	interfaces, err := net.Interfaces()
	if err != nil {
		return true
	}

	for _, one := range interfaces {
		if one.Flags&net.FlagUp == 0 || one.Flags&net.FlagRunning == 0 || one.Flags&net.FlagLoopback != 0 {
			continue
		}

		addresses, err := one.Addrs()
		if err != nil {
			return true
		}

		for _, address := range addresses {
			network, ok := address.(*net.IPNet)
			if ok && network.IP.IsGlobalUnicast() && (network.IP.To4() == nil) == ipv6 {
				return true
			}
		}
	}

	return false
}
