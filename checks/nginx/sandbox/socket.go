package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is one of the caller's, shared with it.
type socket struct {
	fd                     int
	domain, kind, protocol int
}

// socket takes the caller's descriptor (pidfd_getfd(2), Linux 5.6). Where that cannot be done, the address tells what kind of socket it may be.
func (j *judge) socket(c *call, number int, address []byte) (*socket, unix.Errno) {
	pidfd := j.pidfdOf(c)
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if pidfd < 0 || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return &socket{fd: -1, domain: int(binary.NativeEndian.Uint16(address)), kind: unix.SOCK_STREAM}, 0
	}
	if err != nil {
		return nil, errnoOf(err)
	}
	s := &socket{fd: fd}
	s.domain, s.kind, s.protocol = s.option(unix.SOL_SOCKET, unix.SO_DOMAIN), s.option(unix.SOL_SOCKET, unix.SO_TYPE), s.option(unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if s.domain < 0 {
		s.close()
		return nil, unix.ENOTSOCK
	}
	return s, 0
}

// pidfdOf is negative where there is none. A call may come from any thread of the test, and only processes have one.
func (j *judge) pidfdOf(c *call) int {
	if c.pid == j.main {
		return j.pidfd
	}
	group := j.threadGroup(c.pid)
	if group == j.main {
		return j.pidfd
	}
	if pidfd, ok := j.processes[group]; ok {
		return pidfd
	}
	return -1
}

func (s *socket) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
	}
}

// option is negative where the socket does not have it.
func (s *socket) option(level, name int) int {
	value, err := unix.GetsockoptInt(s.fd, level, name)
	if err != nil {
		return -1
	}
	return value
}

// network is "tcp" or "udp" for internet sockets, "unix" or "unixgram" for those of this host, "ip" for others and unknown ones.
func (s *socket) network() string {
	switch {
	case s.fd < 0 && s.domain != unix.AF_UNIX:
		return "ip"
	case s.domain == unix.AF_UNIX && s.kind == unix.SOCK_DGRAM:
		return "unixgram"
	case s.domain == unix.AF_UNIX:
		return "unix"
	case s.kind == unix.SOCK_DGRAM:
		return "udp"
	case s.kind == unix.SOCK_STREAM:
		return "tcp"
	}
	return "ip"
}

// connect is connect(socket, address, length). The test may ask whom it likes for names; what it writes to syslog goes nowhere.
func (j *judge) connect(c *call) answer {
	address, errno := j.address(c)
	if errno != 0 {
		return fail(errno)
	}
	number := int(int32(c.arguments[0]))
	s, errno := j.socket(c, number, address)
	if errno != 0 {
		return fail(errno)
	}
	defer s.close()
	if !isSyslog(s, address) {
		return allow()
	}
	if errno := j.mayConnect(c, s, address); errno != 0 {
		return fail(errno)
	}
	peer, err := j.sink.socket()
	if err != nil {
		return fail(errnoOf(err))
	}
	return answer{kind: given, substitute: emptySocket, fd: peer, replaces: number}
}

// mayConnect connects another socket like s, over which nothing is sent: of that nobody hears.
func (j *judge) mayConnect(c *call, s *socket, address []byte) unix.Errno {
	kind := s.kind
	if s.fd < 0 {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(s.domain, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, s.protocol)
	if err != nil {
		return errnoOf(err)
	}
	defer func() { _ = unix.Close(fd) }()
	path, _, _ := bytes.Cut(address[2:], []byte{0})
	if s.domain != unix.AF_UNIX || len(path) == 0 {
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&address[0])), uintptr(len(address)))
		return errno
	}
	place, errno := j.find(c, atFDCWD, string(path), true)
	defer place.close()
	switch {
	case errno != 0:
		return errno
	case place.target == nil:
		return unix.ENOENT
	case place.target.virtual:
		return unix.ECONNREFUSED
	}
	return errnoOf(unix.Connect(fd, &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(place.target.fd)}))
}

// isSyslog tells whether a socket sends messages that nobody answers: of datagrams only questions for names are not. Those go to port 53, and
// getaddrinfo(3) connects to port 0 to learn the source address, and sends nothing.
func isSyslog(s *socket, address []byte) bool {
	const dnsPort, syslogPort = 53, 514
	if s.fd < 0 {
		return string(bytes.TrimRight(address[2:], "\x00")) == "/dev/log" || len(address) >= 4 && binary.BigEndian.Uint16(address[2:]) == syslogPort
	}
	if s.kind != unix.SOCK_DGRAM {
		return false
	}
	if s.domain == unix.AF_UNIX {
		return true
	}
	if len(address) < 4 || s.domain != unix.AF_INET && s.domain != unix.AF_INET6 || binary.NativeEndian.Uint16(address) == unix.AF_UNSPEC {
		return false
	}
	port := binary.BigEndian.Uint16(address[2:])
	return port != 0 && port != dnsPort
}

// syslogSink is a pair of sockets: one end stands in for the connection to syslog, the other is read by nobody. Neither ever blocks.
type syslogSink struct{ pair [2]int }

func (s *syslogSink) socket() (int, error) {
	if s.pair != [2]int{} {
		return s.pair[0], nil
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	s.pair = pair
	return pair[0], nil
}

func (s *syslogSink) close() {
	if s.pair != [2]int{} {
		_ = unix.Close(s.pair[0])
		_ = unix.Close(s.pair[1])
		s.pair = [2]int{}
	}
}
