package listener

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// What linux/inet_diag.h and net/tcp_states.h define and x/sys does not.
const (
	// tcpDiagGetSock is the older request for TCP sockets. Unlike SOCK_DIAG_BY_FAMILY it asks for both families at once,
	// so that the kernel walks all listeners once and not twice.
	tcpDiagGetSock = 18
	// requestSize and familyRequestSize are the header and struct inet_diag_req, inet_diag_req_v2.
	requestSize       = unix.NLMSG_HDRLEN + 60
	familyRequestSize = unix.NLMSG_HDRLEN + 56
	// answerSize is struct inet_diag_msg, which attributes follow.
	answerSize     = 72
	attributeV6    = 11
	attributeGroup = 21

	stateClose  = 7
	stateListen = 10
)

var (
	errMalformed   = errors.New("cannot understand the kernel's answer: its lengths do not fit")
	errInterrupted = errors.New("cannot list the sockets: they changed while the kernel listed them")
)

// state is the one in which a socket of the network receives clients.
func (n Network) state() byte {
	if n == TCP {
		return stateListen
	}

	return stateClose
}

// bothRequest asks for the listening TCP sockets of both families; port 0 stands for all.
func bothRequest(sequence uint32, port uint16) []byte {
	b := header(make([]byte, requestSize), tcpDiagGetSock, sequence)
	binary.BigEndian.PutUint16(b[20:], port)
	binary.NativeEndian.PutUint32(b[68:], 1<<stateListen)

	return b
}

// familyRequest asks for the UDP sockets of a family that are not connected; port 0 stands for all.
func familyRequest(sequence uint32, family byte, port uint16) []byte {
	b := header(make([]byte, familyRequestSize), unix.SOCK_DIAG_BY_FAMILY, sequence)
	b[16], b[17] = family, unix.IPPROTO_UDP
	binary.NativeEndian.PutUint32(b[20:], 1<<stateClose)
	binary.BigEndian.PutUint16(b[24:], port)

	return b
}

func header(b []byte, kind uint16, sequence uint32) []byte {
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(b[8:], sequence)

	return b
}

// answer is what the kernel says to one request.
type answer struct {
	sequence uint32
	network  Network
	sockets  *collection
	// interrupted says that the list is not of one moment (NLM_F_DUMP_INTR).
	interrupted bool
}

// parse takes one datagram (netlink(7)). It is done with the last one, and fails with the unix.Errno that the kernel sent.
func (a *answer) parse(datagram []byte) (done bool, err error) {
	for len(datagram) > 0 {
		if len(datagram) < unix.NLMSG_HDRLEN {
			return false, errMalformed
		}

		length := binary.NativeEndian.Uint32(datagram)
		if length < unix.NLMSG_HDRLEN || uint64(length) > uint64(len(datagram)) {
			return false, errMalformed
		}

		if binary.NativeEndian.Uint32(datagram[8:]) == a.sequence {
			if done, err = a.message(datagram[:length]); done || err != nil {
				return done, err
			}
		}

		datagram = datagram[min(aligned(int(length)), len(datagram)):]
	}

	return false, nil
}

func (a *answer) message(m []byte) (done bool, err error) {
	if binary.NativeEndian.Uint16(m[6:])&unix.NLM_F_DUMP_INTR != 0 {
		a.interrupted = true
	}

	body := m[unix.NLMSG_HDRLEN:]

	switch binary.NativeEndian.Uint16(m[4:]) {
	case unix.NLMSG_DONE, unix.NLMSG_ERROR:
		return true, failure(body)
	case tcpDiagGetSock, unix.SOCK_DIAG_BY_FAMILY:
		return false, a.take(body)
	}

	return false, nil
}

// failure reads the error number that an NLMSG_ERROR or NLMSG_DONE begins with, 0 where all went well.
func failure(body []byte) error {
	if len(body) < 4 {
		return errMalformed
	}

	if number := int32(binary.NativeEndian.Uint32(body)); number != 0 {
		return fmt.Errorf("cannot list the sockets: %w", unix.Errno(-number))
	}

	return nil
}

// take reads struct inet_diag_msg and its attributes.
func (a *answer) take(b []byte) error {
	if len(b) < answerSize {
		return errMalformed
	}

	family, state := b[0], b[1]
	if state != a.network.state() {
		return nil
	}

	var addr netip.Addr

	switch family {
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(b[8:12]))
	case unix.AF_INET6:
		addr = netip.AddrFrom16([16]byte(b[8:24]))
	default:
		return nil
	}

	s := Socket{
		Network:        a.network,
		Address:        netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[4:])),
		InterfaceIndex: binary.NativeEndian.Uint32(b[40:]),
		Cookie:         uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32,
		Queue:          binary.NativeEndian.Uint32(b[56:]),
		Backlog:        binary.NativeEndian.Uint32(b[60:]),
		UID:            binary.NativeEndian.Uint32(b[64:]),
		Inode:          binary.NativeEndian.Uint32(b[68:]),
	}

	if err := s.takeAttributes(b[answerSize:]); err != nil {
		return err
	}

	a.sockets.add(&s)

	return nil
}

// takeAttributes reads struct nlattr after struct nlattr. A kernel that does not know one leaves it out.
func (s *Socket) takeAttributes(b []byte) error {
	for len(b) >= unix.SizeofNlAttr {
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofNlAttr || length > len(b) {
			return errMalformed
		}

		value := b[unix.SizeofNlAttr:length]

		switch kind := binary.NativeEndian.Uint16(b[2:]); {
		case kind == attributeV6 && len(value) == 1 && isV6Any(s.Address.Addr()):
			s.V6Only = new(value[0] != 0)
		case kind == attributeGroup && len(value) == 8:
			s.CgroupID = binary.NativeEndian.Uint64(value)
		}

		b = b[min(aligned(length), len(b)):]
	}

	return nil
}

func aligned(length int) int { return (length + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }
