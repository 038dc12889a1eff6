package site

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// errOneConnection meets the transport where it would dial again: HTTP/2 does for a request that its first connection
// turned away, up to 30 times a second.
var errOneConnection = errors.New("the server turned the request away and wants another connection")

// bindWithoutPort leaves the choice of the port to connect: bind would take one that is free to every destination, so
// that a source address runs out of ports much earlier (ip(7), IP_BIND_ADDRESS_NO_PORT).
func bindWithoutPort(_, _ string, socket syscall.RawConn) error {
	return socket.Control(func(fd uintptr) {
		// Older kernels do without.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}

// dial is the transport's for http and, with encrypted, for https. ctx only carries the hop: the transport keeps it
// alive beyond the request's end.
func dial(ctx context.Context, encrypted bool) (net.Conn, error) {
	h, ok := ctx.Value(hopKey{}).(*hop)
	if !ok || !h.beginDial() {
		return nil, errOneConnection
	}
	defer close(h.dialing)

	result, err := guarded(func() (net.Conn, error) { return h.dial(encrypted) })

	h.mu.Lock()
	defer h.mu.Unlock()

	if err != nil {
		if h.dialErr == nil {
			h.dialErr = err
		}

		return nil, err
	}

	h.enterLocked(phaseSend)

	return result, nil
}

func (h *hop) dial(encrypted bool) (net.Conn, error) {
	h.enter(phaseResolve)

	addresses, err := h.resolve()
	if err != nil {
		return nil, err
	}

	h.enter(phaseConnect)

	raw, err := h.connect(addresses)
	if err != nil {
		return nil, err
	}

	c := &conn{Conn: raw, hop: h, gate: make(chan struct{})}
	h.mu.Lock()
	h.conn = c
	h.remote, h.local = raw.RemoteAddr().String(), raw.LocalAddr().String()
	h.mu.Unlock()

	if !encrypted {
		c.gated.Store(true)

		return &answerConn{Conn: c, hop: h}, nil
	}

	h.enter(phaseTLS)

	return h.handshake(c)
}

// destination is the host and port to connect to.
func (h *hop) destination() (host, port string) {
	host, port = h.url.Hostname(), portOf(h.url)
	t := &h.prober.target

	if t.Connect == "" || !strings.EqualFold(host, t.URL.Hostname()) {
		return host, port
	}

	// NewProber's caller has checked it; a host that is none fails to resolve.
	connectHost, connectPort, err := net.SplitHostPort(t.Connect)
	if err != nil {
		return t.Connect, port
	}

	if port == portOf(t.URL) {
		port = connectPort
	}

	return connectHost, port
}

func (h *hop) resolve() ([]netip.AddrPort, error) {
	host, portText := h.destination()

	port, err := net.DefaultResolver.LookupPort(h.ctx, "tcp", portText)
	if err != nil {
		return nil, err
	}

	network := h.prober.network("ip")
	addresses, err := h.resolver().LookupNetIP(h.ctx, network, host)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && h.prober.target.Resolver != "" {
			// The resolver names the system's server, whom nobody has asked.
			dns.Server = h.prober.target.Resolver
		}

		return nil, err
	}

	all := make([]netip.AddrPort, len(addresses))
	for i, address := range addresses {
		all[i] = netip.AddrPortFrom(address.Unmap(), uint16(port))
	}

	return all, nil
}
