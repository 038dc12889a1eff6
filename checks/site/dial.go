package site

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// minDialShare is the least time that one of several addresses gets.
const minDialShare = 2 * time.Second

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

	result, err := h.dial(encrypted)

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

		return c, nil
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

// connect tries one address after the other, so that the time of each is told apart from the others', and returns the
// last error: with several addresses the one that a visitor waits for.
func (h *hop) connect(addresses []netip.AddrPort) (net.Conn, error) {
	var failed error

	for i, address := range addresses {
		h.mu.Lock()
		h.remote = address.String()
		h.mu.Unlock()

		result, err := h.connectOne(address, len(addresses)-i)
		if err == nil {
			return result, nil
		}

		failed = err

		if h.ctx.Err() != nil {
			break
		}
	}

	return nil, failed
}

// connectOne leaves an equal share of the time to each of the left addresses, as net.Dialer does.
func (h *hop) connectOne(to netip.AddrPort, left int) (net.Conn, error) {
	ctx := h.ctx

	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		remaining := time.Until(deadline)
		share := min(remaining, max(remaining/time.Duration(left), minDialShare))

		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, share)
		defer cancel()
	}

	return h.prober.dialer.DialContext(ctx, h.prober.network("tcp"), to.String())
}
