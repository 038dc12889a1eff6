package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	backlog     = 511
	defaultPort = 80
)

// listen is one address to listen on.
type listen struct {
	// text is the address as nginx tells it.
	text           string
	address        netip.AddrPort
	path           string
	udp, reuseport bool
}

func parseListen(words []string, where string) (*listen, error) {
	l := &listen{udp: slices.Contains(words, "udp"), reuseport: slices.Contains(words, "reuseport")}
	if path, found := strings.CutPrefix(words[0], "unix:"); found {
		l.text, l.path = words[0], path
		return l, nil
	}
	var err error
	if l.address, err = parseAddress(words[0]); err != nil {
		return nil, fmt.Errorf("host not found in %q of the \"listen\" directive%s", words[0], where)
	}
	l.text = l.address.String()
	return l, nil
}

// parseAddress takes a port, an address, or both.
func parseAddress(text string) (netip.AddrPort, error) {
	text = strings.TrimPrefix(text, "*:")
	if port, err := strconv.ParseUint(text, 10, 16); err == nil {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)), nil
	}
	if address, err := netip.ParseAddrPort(text); err == nil {
		return address, nil
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return netip.AddrPortFrom(address, defaultPort), err
}

// open opens the sockets and leaves them open. A port that is in use is none of a test's business.
func (l *listen) open(v version, workers int) error {
	clones := 1
	if l.reuseport && v.clonesSockets() {
		clones = workers
	}
	for range clones {
		if err := l.openOne(v); err != nil {
			return err
		}
	}
	return nil
}

func (l *listen) openOne(v version) error {
	domain, kind, address := l.sockaddr()
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("socket() %s failed (%s)", l.text, reason(err))
	}
	if err := l.setOptions(fd, domain, v); err != nil {
		return err
	}
	err = unix.Bind(fd, address)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bind() to %s failed (%s)", l.text, reason(err))
	}
	if l.path != "" {
		if err := os.Chmod(l.path, 0o666); err != nil {
			return fmt.Errorf("chmod() %q failed (%s)", l.path, reason(err))
		}
		if err := os.Remove(l.path); err != nil {
			return fmt.Errorf("unlink() %s failed (%s)", l.path, reason(err))
		}
	}
	if l.udp {
		return nil
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return fmt.Errorf("listen() to %s, backlog %d failed (%s)", l.text, backlog, reason(err))
	}
	return nil
}

func (l *listen) setOptions(fd, domain int, v version) error {
	options := []struct {
		wanted      bool
		level, name int
		text        string
	}{
		{!l.udp || v.takesDatagrams(), unix.SOL_SOCKET, unix.SO_REUSEADDR, "SO_REUSEADDR"},
		{l.reuseport && v.joinsGroups(), unix.SOL_SOCKET, unix.SO_REUSEPORT, "SO_REUSEPORT"},
		{domain == unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, "IPV6_V6ONLY"},
	}
	for _, option := range options {
		if !option.wanted {
			continue
		}
		if err := unix.SetsockoptInt(fd, option.level, option.name, 1); err != nil {
			return fmt.Errorf("setsockopt(%s) %s failed (%s)", option.text, l.text, reason(err))
		}
	}
	return nil
}

func (l *listen) sockaddr() (domain, kind int, address unix.Sockaddr) {
	kind = unix.SOCK_STREAM
	if l.udp {
		kind = unix.SOCK_DGRAM
	}
	port := int(l.address.Port())
	switch {
	case l.path != "":
		return unix.AF_UNIX, kind, &unix.SockaddrUnix{Name: l.path}
	case l.address.Addr().Is4():
		return unix.AF_INET, kind, &unix.SockaddrInet4{Port: port, Addr: l.address.Addr().As4()}
	}
	return unix.AF_INET6, kind, &unix.SockaddrInet6{Port: port, Addr: l.address.Addr().As16()}
}
