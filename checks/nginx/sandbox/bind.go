package sandbox

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// longestAddress is sizeof(struct sockaddr_storage).
const longestAddress = 128

// bind is bind(socket, address, length). It takes no port and makes no file.
func (j *judge) bind(c *call) answer {
	address, errno := j.address(c)
	if errno != 0 {
		return fail(errno)
	}
	s, errno := j.socket(c, int(int32(c.arguments[0])), address)
	if errno != 0 {
		return fail(errno)
	}
	defer s.close()
	switch s.domain {
	case unix.AF_NETLINK:
		// getaddrinfo(3) asks for the host's addresses so.
		return allow()
	case unix.AF_UNIX:
		return j.bindUnix(c, s, address)
	case unix.AF_INET, unix.AF_INET6:
		bind := Bind{Network: s.network(), ReusePort: s.option(unix.SOL_SOCKET, unix.SO_REUSEPORT) > 0, Address: addressOf(address)}
		errno := j.mayBind(s, address, bind.Address.Port())
		bind.Errno = errnoName(errno)
		j.record.bind(bind)
		return fail(errno)
	}
	return j.refuse(c)
}

// address reads the address that is the second and third argument of a call.
func (j *judge) address(c *call) ([]byte, unix.Errno) {
	length := int(int32(c.arguments[2]))
	if length < 0 || length > longestAddress {
		return nil, unix.EINVAL
	}
	address := make([]byte, length)
	if errno := j.readable(c, readMemory(c.pid, c.arguments[1], address)); errno != 0 {
		return nil, errno
	}
	if length < 2 {
		return nil, unix.EINVAL
	}
	return address, 0
}

// mayBind binds a socket of the same kind to the same address without a port, which takes none: EADDRNOTAVAIL, EAFNOSUPPORT and EINVAL are the
// kernel's own. That a port is taken is no error to a configuration test.
func (j *judge) mayBind(s *socket, address []byte, port uint16) unix.Errno {
	privileged := port != 0 && int(port) < j.unprivilegedPorts() && !j.bindsLowPorts && !j.can(unix.CAP_NET_BIND_SERVICE)
	if privileged && s.domain == unix.AF_INET6 {
		return unix.EACCES
	}
	errno := s.tryBind(address)
	if errno == 0 && privileged {
		return unix.EACCES
	}
	return errno
}

// unprivilegedPorts is the first port that everybody may bind.
func (j *judge) unprivilegedPorts() int {
	const always = 1024
	return j.sysctl("net/ipv4/ip_unprivileged_port_start", always)
}

// tryBind binds another socket like s to the address with port 0.
func (s *socket) tryBind(address []byte) unix.Errno {
	fd, err := unix.Socket(s.domain, s.kind|unix.SOCK_CLOEXEC, s.protocol)
	if err != nil {
		return errnoOf(err)
	}
	defer func() { _ = unix.Close(fd) }()
	// With this option (Linux 4.2) not even a free port is taken.
	_ = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	for _, option := range [][2]int{{unix.SOL_IP, unix.IP_FREEBIND}, {unix.SOL_IP, unix.IP_TRANSPARENT}, {unix.SOL_IPV6, unix.IPV6_V6ONLY}} {
		if value := s.option(option[0], option[1]); value > 0 {
			_ = unix.SetsockoptInt(fd, option[0], option[1], value)
		}
	}
	tried := bytes.Clone(address)
	if len(tried) >= 4 {
		tried[2], tried[3] = 0, 0
	}
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&tried[0])), uintptr(len(tried)))
	return errno
}

// addressOf reads struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)); others are the zero address.
func addressOf(address []byte) netip.AddrPort {
	if len(address) < 8 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(address[2:])
	switch family := binary.NativeEndian.Uint16(address); {
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(address[4:8])), port)
	case family == unix.AF_INET6 && len(address) >= 24:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(address[8:24])), port)
	}
	return netip.AddrPort{}
}

// bindUnix makes a socket file in the overlay, or takes a name in the abstract name space only for the result.
func (j *judge) bindUnix(c *call, s *socket, address []byte) answer {
	name := string(address[2:])
	bind := Bind{Network: s.network()}
	if name == "" || name[0] == 0 {
		bind.Path = "@" + strings.TrimPrefix(name, "\x00")
		bind.Errno = errnoName(j.abstractErrno(name))
		j.record.bind(bind)
		return fail(j.abstractErrno(name))
	}
	if end := strings.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	place, errno := j.find(c, atFDCWD, name, false)
	defer place.close()
	switch {
	case errno != 0:
	case place.target != nil:
		errno = unix.EADDRINUSE
	case place.slash:
		errno = unix.ENOENT
	default:
		errno = j.mayAdd(place.parent, false)
	}
	if errno = j.pardon(place, errno); errno == 0 {
		const everything = 0o777
		errno = j.create(*place, name, unix.S_IFSOCK|everything&^j.identity.umask)
	}
	bind.Path, bind.Errno = place.path, errnoName(errno)
	j.record.bind(bind)
	return fail(errno)
}

// abstractErrno is EADDRINUSE for a name that is taken (unix(7)). The empty one asks for any.
func (j *judge) abstractErrno(name string) unix.Errno {
	if name == "" {
		return 0
	}
	sockets, err := j.readProc("thread-self/net/unix")
	if err == nil && strings.Contains(sockets, " @"+strings.ReplaceAll(name[1:], "\x00", "@")+"\n") {
		return unix.EADDRINUSE
	}
	return 0
}
