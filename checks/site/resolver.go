package site

import (
	"context"
	"net"
	"strconv"
)

// newResolver notes why a DNS server could not be asked, which the resolver's own error holds as text only.
func (p *Prober) newResolver() *net.Resolver {
	server := p.target.Resolver

	return &net.Resolver{
		PreferGo: server != "",
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if server != "" {
				address = server
			}

			var dialer net.Dialer

			result, err := dialer.DialContext(ctx, network, address)
			if h, ok := ctx.Value(hopKey{}).(*hop); ok && err != nil {
				h.mu.Lock()
				h.resolverErr = err
				h.mu.Unlock()
			}

			return result, err
		},
	}
}

// network is "ip" or "tcp" of the target's version of IP.
func (p *Prober) network(name string) string {
	if p.target.Family == 0 {
		return name
	}

	return name + strconv.Itoa(p.target.Family)
}

// networkUp tells whether the host has an interface, other than loopback, through which it can reach others.
func networkUp(ipv6 bool) bool {
	interfaces, err := net.Interfaces()
	if err != nil {
		return true
	}

	for _, one := range interfaces {
		if one.Flags&net.FlagUp == 0 || one.Flags&net.FlagLoopback != 0 {
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
