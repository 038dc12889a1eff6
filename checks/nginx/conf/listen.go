package conf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const (
	// defaultPort is HTTP's, where a listen directive names an address only.
	defaultPort = 80
	maxPorts    = 1024
)

// Listen is an address that the configuration listens on.
type Listen struct {
	// Network is "tcp", "udp" or "unix".
	Network string
	// Address is the zero value for a unix socket, and has no address for a name.
	Address netip.AddrPort
	// Host is a name that stands for addresses; Path is a unix socket's.
	Host string
	Path string
	// ReusePort says that one of the directives for this address asks for it; File and Line are then that one's.
	ReusePort bool
	File      string
	Line      int
}

// parseListen reads a listen directive: "80", "*:80", "[::]:443 ssl", "localhost:8000-8010", "unix:/path". It is empty for
// what is none.
func parseListen(d Directive) []Listen {
	if len(d.Words) < 2 {
		return nil
	}

	l := Listen{Network: "tcp", File: d.File, Line: d.Line, ReusePort: slices.Contains(d.Words[2:], "reuseport")}
	if slices.Contains(d.Words[2:], "udp") || slices.Contains(d.Words[2:], "quic") {
		l.Network = "udp"
	}

	if path, ok := strings.CutPrefix(d.Words[1], "unix:"); ok {
		l.Network, l.Path = "unix", path

		return []Listen{l}
	}

	host, ports := cutPorts(d.Words[1])

	first, last, ok := portRange(ports)
	if !ok {
		return nil
	}

	var addr netip.Addr

	if host == "" || host == "*" {
		addr = netip.IPv4Unspecified()
	} else if parsed, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		addr = parsed
	} else {
		l.Host = host
	}

	all := make([]Listen, 0, last-first+1)
	for port := first; port <= last; port++ {
		l.Address = netip.AddrPortFrom(addr, uint16(port))
		all = append(all, l)
	}

	return all
}

// cutPorts cuts "host:80-90". A number alone is a port, anything else alone is a host.
func cutPorts(text string) (host, ports string) {
	if _, _, ok := portRange(text); ok && text != "" {
		return "", text
	}

	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.Contains(text[i:], "]") {
		return text[:i], text[i+1:]
	}

	return text, ""
}

func portRange(text string) (first, last int, ok bool) {
	if text == "" {
		return defaultPort, defaultPort, true
	}

	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}

	from, err := strconv.ParseUint(low, 10, 16)
	if err != nil {
		return 0, 0, false
	}

	to, err := strconv.ParseUint(high, 10, 16)
	if err != nil || from == 0 || to < from {
		return 0, 0, false
	}

	return int(from), int(min(to, from+maxPorts-1)), true
}

// key tells addresses apart, whatever asks for them.
func (l Listen) key() Listen {
	l.ReusePort, l.File, l.Line = false, "", 0

	return l
}
