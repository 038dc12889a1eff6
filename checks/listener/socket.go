package listener

import (
	"cmp"
	"net/netip"
)

// Network is a transport protocol, named as package net names it.
type Network string

// The networks of a socket.
const (
	TCP Network = "tcp"
	UDP Network = "udp"
)

// Socket is one that receives clients: a TCP socket that listens, or a UDP socket that is bound and not connected, which
// a client's socket may be as well.
type Socket struct {
	Network Network
	Address netip.AddrPort
	// V6Only tells whether a socket on [::] leaves IPv4 alone; nil for other addresses and where it is unknown.
	V6Only *bool
	// InterfaceIndex is the device that the socket is bound to (SO_BINDTODEVICE), 0 without one.
	InterfaceIndex uint32
	Interface      string
	// UID owns the socket.
	UID uint32
	// Inode is the number in the link of a descriptor, "socket:[123]".
	Inode uint32
	// Cookie identifies a socket as long as the host runs; 0 where the kernel was not asked through sock_diag.
	Cookie uint64
	// CgroupID is the cgroup (version 2) in which the socket was made, 0 where it is unknown.
	CgroupID uint64
	// Queue is how many connections wait to be accepted; for UDP, the bytes received and not read.
	Queue uint32
	// Backlog is how many connections may wait; 0 where Cookie is.
	Backlog uint32
}

// place is what the sockets of one group share, within a network namespace. The kernel joins only such sockets to a
// SO_REUSEPORT group (inet_reuseport_add_sock).
type place struct {
	network        Network
	address        netip.AddrPort
	v6Only         bool
	interfaceIndex uint32
}

func (s *Socket) place() place {
	return place{network: s.Network, address: s.Address, v6Only: s.v6Only(), interfaceIndex: s.InterfaceIndex}
}

// v6Only takes a socket of which it is unknown for one that leaves IPv4 alone, as nginx makes them.
func (s *Socket) v6Only() bool {
	return isV6Any(s.Address.Addr()) && (s.V6Only == nil || *s.V6Only)
}

func isV6Any(a netip.Addr) bool { return a.Is6() && a.IsUnspecified() }

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.network, b.network), cmp.Compare(a.address.Port(), b.address.Port()),
		a.address.Addr().Compare(b.address.Addr()), cmp.Compare(a.interfaceIndex, b.interfaceIndex), compareBools(a.v6Only, b.v6Only))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}

	return 1
}

func pointersTo(sockets []Socket) []*Socket {
	all := make([]*Socket, len(sockets))
	for i := range sockets {
		all[i] = &sockets[i]
	}

	return all
}
