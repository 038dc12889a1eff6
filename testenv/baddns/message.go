package baddns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
)

// The parts of a message; see RFC 1035, section 4.
const (
	headerSize   = 12
	typeA        = 1
	typeAAAA     = 28
	classIN      = 1
	maxLabel     = 63
	maxName      = 255
	maxAddresses = 16
	ttlSeconds   = 1

	flagResponse  = 0x8000
	flagTruncated = 0x0200
	flagRecursion = 0x0180 // desired and available
	opcodeMask    = 0x7800
	// nameOfQuestion points to the question's name, right behind the header.
	nameOfQuestion = 0xc000 | headerSize
)

// rcode is a response code; see RFC 1035, section 4.1.1.
type rcode uint16

const (
	noError  rcode = 0
	servFail rcode = 2
	nxDomain rcode = 3
	refused  rcode = 5
)

// errQuery is why a message gets no answer.
var errQuery = errors.New("cannot read the question: it is no query with one plain question; ask with a stub resolver")

// question is what a client asks.
type question struct {
	id uint16
	// name is in lower case and without the last dot.
	name  string
	kind  uint16
	class uint16
	// raw is the question as it came, name, type and class.
	raw []byte
}

// parseQuery reads a message's header and its only question; what follows (EDNS) is not needed.
func parseQuery(message []byte) (question, error) {
	if len(message) < headerSize {
		return question{}, errQuery
	}
	flags, count := binary.BigEndian.Uint16(message[2:]), binary.BigEndian.Uint16(message[4:])
	if flags&(flagResponse|opcodeMask) != 0 || count != 1 {
		return question{}, errQuery
	}
	name, rest, ok := parseName(message[headerSize:])
	if !ok || len(rest) < 4 {
		return question{}, errQuery
	}
	return question{
		id: binary.BigEndian.Uint16(message), name: name,
		kind: binary.BigEndian.Uint16(rest), class: binary.BigEndian.Uint16(rest[2:]),
		raw: message[headerSize : len(message)-len(rest)+4],
	}, nil
}

// parseName reads a name without compression, which a first question cannot have.
func parseName(from []byte) (name string, rest []byte, ok bool) {
	var labels []string
	for size := 0; ; {
		if len(from) == 0 {
			return "", nil, false
		}
		length := int(from[0])
		size += 1 + length
		if length > maxLabel || len(from) < 1+length || size > maxName {
			return "", nil, false
		}
		if length == 0 {
			return strings.Join(labels, "."), from[1:], true
		}
		labels = append(labels, lower(from[1:1+length]))
		from = from[1+length:]
	}
}

// lower changes only the letters of ASCII: a label is bytes (RFC 4343), which package strings would take for broken UTF-8 and lengthen.
func lower(label []byte) string {
	changed := bytes.Clone(label)
	for i, c := range changed {
		if 'A' <= c && c <= 'Z' {
			changed[i] = c + 'a' - 'A'
		}
	}
	return string(changed)
}

// reply answers a question with addresses of its type.
func reply(q question, code rcode, truncated bool, addresses []netip.Addr) []byte {
	flags := uint16(flagResponse|flagRecursion) | uint16(code)
	if truncated {
		flags |= flagTruncated
	}
	addresses = addresses[:min(len(addresses), maxAddresses)]
	message := make([]byte, 0, 512)
	for _, field := range []uint16{q.id, flags, 1, uint16(len(addresses)), 0, 0} {
		message = binary.BigEndian.AppendUint16(message, field)
	}
	message = append(message, q.raw...)
	for _, address := range addresses {
		data := address.AsSlice()
		message = binary.BigEndian.AppendUint16(message, nameOfQuestion)
		message = binary.BigEndian.AppendUint16(message, q.kind)
		message = binary.BigEndian.AppendUint16(message, classIN)
		message = binary.BigEndian.AppendUint32(message, ttlSeconds)
		message = binary.BigEndian.AppendUint16(message, uint16(len(data)))
		message = append(message, data...)
	}
	return message
}
