package listener

import (
	"cmp"
	"net/netip"

	"zabbix-agent2-plugin-hosting/checks/enum"
)

// Relation is how the address of a stranger lies to one of nginx. The numbers are stable.
type Relation int

// The relations of two addresses that overlap.
const (
	// RelationSameAddress shares the clients: the kernel spreads new connections over the TCP sockets of one address. Where
	// one is bound to a device and the other is not, their order decides.
	RelationSameAddress Relation = 1
	// RelationMoreSpecific takes all clients of the part of nginx's address that it covers.
	RelationMoreSpecific Relation = 2
	// RelationLessSpecific takes none of nginx's clients as long as nginx listens.
	RelationLessSpecific Relation = 3
)

var relationNames = enum.Of[Relation]("relation", "", "same_address", "more_specific", "less_specific")

// String is the name in payloads, such as "same_address".
func (r Relation) String() string { return relationNames.Name(r) }

// Relations returns every relation's name by its number.
func Relations() map[int]string { return relationNames.All() }

// Relate compares the socket of a stranger with one of nginx, in one network namespace. It is false where they have no
// clients in common.
func Relate(stranger, own *Socket) (r Relation, overlap bool) {
	if stranger.Network != own.Network || stranger.Address.Port() != own.Address.Port() || !sameDevice(stranger, own) {
		return 0, false
	}

	// The clients of both, of either family: where the ranks differ, the higher one takes them.
	for _, v4 := range []bool{true, false} {
		if !meets(stranger, own, v4) {
			continue
		}

		if this := compareRanks(stranger, own); r == 0 || this < r {
			r = this
		}
	}

	return r, r != 0
}

func sameDevice(a, b *Socket) bool {
	return a.InterfaceIndex == b.InterfaceIndex || a.InterfaceIndex == 0 || b.InterfaceIndex == 0
}

// meets says whether there is an address of the family that both serve.
func meets(a, b *Socket, v4 bool) bool {
	return a.serves(v4) && b.serves(v4) &&
		(a.Address.Addr().IsUnspecified() || b.Address.Addr().IsUnspecified() || unmapped(a) == unmapped(b))
}

// serves says whether the socket has clients of the family: [::] may serve both, and ::ffff:192.0.2.1 serves IPv4.
func (s *Socket) serves(v4 bool) bool {
	addr := s.Address.Addr()
	if isV6Any(addr) {
		return !v4 || !s.v6Only()
	}

	return addr.Unmap().Is4() == v4
}

func unmapped(s *Socket) netip.Addr { return s.Address.Addr().Unmap() }

// compareRanks says which of two sockets that both fit a client gets it: the kernel looks for an exact address before any
// (inet_lookup_listener, udp4_lib_lookup) and lists a socket of IPv4 before one that serves both families. A device does
// not decide: of sockets with SO_REUSEPORT the kernel takes the first that fits.
func compareRanks(stranger, own *Socket) Relation {
	switch c := cmp.Or(compareBools(exact(stranger), exact(own)), compareBools(isIPv4(stranger), isIPv4(own))); {
	case c > 0:
		return RelationMoreSpecific
	case c < 0:
		return RelationLessSpecific
	}

	return RelationSameAddress
}

func exact(s *Socket) bool { return !s.Address.Addr().IsUnspecified() }

func isIPv4(s *Socket) bool { return s.Address.Addr().Is4() }
