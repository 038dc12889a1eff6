package listener

import "slices"

// stranger is a socket on an address of nginx that no master of that nginx holds.
type stranger struct {
	socket *Socket
	// own is the socket of nginx that is hit most.
	own      *Socket
	relation Relation
	family   *family
}

// portOf is what two sockets must have in common to meet.
type portOf struct {
	network Network
	port    uint16
}

func (s *Socket) portOf() portOf { return portOf{network: s.Network, port: s.Address.Port()} }

// findStrangers compares all sockets of a network namespace with those of each nginx.
func findStrangers(sockets []Socket, families []*family) []stranger {
	var found []stranger

	for _, f := range families {
		own := make(map[portOf][]*Socket)

		for i := range sockets {
			if _, is := f.held[sockets[i].Inode]; is {
				own[sockets[i].portOf()] = append(own[sockets[i].portOf()], &sockets[i])
			}
		}

		for at, all := range own {
			own[at] = onePerPlace(all)
		}

		for i := range sockets {
			s := &sockets[i]
			if _, is := f.held[s.Inode]; is {
				continue
			}

			if hit, relation := mostHit(s, own[s.portOf()]); hit != nil {
				found = append(found, stranger{socket: s, own: hit, relation: relation, family: f})
			}
		}
	}

	return found
}

// onePerPlace keeps one socket of each SO_REUSEPORT group, in order of address.
func onePerPlace(sockets []*Socket) []*Socket {
	slices.SortFunc(sockets, func(a, b *Socket) int { return comparePlaces(a.place(), b.place()) })

	return slices.CompactFunc(sockets, func(a, b *Socket) bool { return a.place() == b.place() })
}

func mostHit(s *Socket, own []*Socket) (hit *Socket, relation Relation) {
	for _, o := range own {
		// Of relations of one kind the one to the same place tells most.
		r, overlap := Relate(s, o)
		if overlap && (hit == nil || r < relation || r == relation && o.place() == s.place()) {
			hit, relation = o, r
		}
	}

	return hit, relation
}
