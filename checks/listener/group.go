package listener

import (
	"cmp"
	"net/netip"
	"slices"
)

// Group is all sockets at one address of a network namespace.
type Group struct {
	// NamespacePID is a process in the network namespace; absent for the caller's own.
	NamespacePID int            `json:"namespace_pid,omitempty"`
	Network      Network        `json:"network"`
	Address      netip.AddrPort `json:"address"`
	// V6Only tells whether [::] leaves IPv4 alone; absent for other addresses and where it is unknown.
	V6Only    *bool  `json:"v6_only,omitempty"`
	Interface string `json:"interface,omitempty"`
	// ReusePort tells whether SO_REUSEPORT is set; absent where it is unknown.
	ReusePort           *bool           `json:"reuseport,omitempty"`
	ReusePortSource     ReusePortSource `json:"reuseport_source"`
	ReusePortSourceName string          `json:"reuseport_source_name"`
	// Foreign tells that a foreigner is among the sockets.
	Foreign        bool         `json:"foreign"`
	SocketCount    int          `json:"socket_count"`
	Sockets        []HeldSocket `json:"sockets"`
	SocketsOmitted int          `json:"sockets_omitted,omitempty"`
	// PIDs hold one of the sockets; absent where nobody looked or nobody was found.
	PIDs        []int `json:"pids,omitempty"`
	PIDsOmitted int   `json:"pids_omitted,omitempty"`
}

// gathering is the sockets at one place before they are described.
type gathering struct {
	namespace int
	sockets   []*Socket
	// strange says that a stranger to an nginx may be among them.
	strange bool
}

// gather puts the sockets of each place together, in order of address.
func gather(namespace int, sockets []Socket, strangers []stranger) []gathering {
	ordered := pointersTo(sockets)
	slices.SortFunc(ordered, func(a, b *Socket) int {
		return cmp.Or(comparePlaces(a.place(), b.place()), cmp.Compare(a.Cookie, b.Cookie), cmp.Compare(a.Inode, b.Inode))
	})

	strange := inodesOf(socketsOfStrangers(strangers))

	var all []gathering

	for _, s := range ordered {
		if last := len(all) - 1; last < 0 || all[last].sockets[0].place() != s.place() {
			all = append(all, gathering{namespace: namespace})
		}

		g := &all[len(all)-1]
		g.sockets = append(g.sockets, s)

		if _, is := strange[s.Inode]; is {
			g.strange = true
		}
	}

	return all
}

// sortByInterest puts first where strangers are, then where connections are lost, then where sockets share an address.
func sortByInterest(all []gathering) {
	slices.SortStableFunc(all, func(a, b gathering) int {
		return cmp.Or(compareBools(b.strange, a.strange), compareBools(b.full(), a.full()), cmp.Compare(len(b.sockets), len(a.sockets)))
	})
}

// full says that a socket has no room for another connection.
func (g *gathering) full() bool {
	return slices.ContainsFunc(g.sockets, func(s *Socket) bool { return s.Network == TCP && s.Cookie != 0 && s.Queue > s.Backlog })
}

// maxPIDsOfGroup bounds a payload.
const maxPIDsOfGroup = 32

func (d *describer) group(g *gathering) Group {
	first := g.sockets[0]
	shown := Group{
		NamespacePID: g.namespace,
		Network:      first.Network,
		Address:      first.Address,
		V6Only:       first.V6Only,
		Interface:    first.Interface,
		SocketCount:  len(g.sockets),
	}
	shown.Sockets, shown.SocketsOmitted = d.sockets(g.sockets)
	shown.ReusePort, shown.ReusePortSource = d.reusePort(g.sockets)
	shown.ReusePortSourceName = shown.ReusePortSource.String()

	pids := d.pids(g.sockets...)
	shown.PIDs = pids[:min(len(pids), maxPIDsOfGroup)]
	shown.PIDsOmitted = len(pids) - len(shown.PIDs)

	for _, pid := range shown.PIDs {
		d.process(pid)
	}

	return shown
}
