package listener

import (
	"cmp"
	"slices"
)

// intrusion is what strangers at one place do to one nginx.
type intrusion struct {
	strangers []stranger
	// sockets is how many there are at the place, nginx's included.
	sockets int
}

// intrusions puts the strangers at one place together, the worst first.
func intrusions(sockets []Socket, strangers []stranger) []intrusion {
	type key struct {
		family *family
		place  place
	}

	byKey := make(map[key][]stranger)
	counts := make(map[place]int)

	for _, s := range strangers {
		k := key{family: s.family, place: s.socket.place()}
		byKey[k] = append(byKey[k], s)
		counts[k.place] = 0
	}

	for i := range sockets {
		at := sockets[i].place()
		if _, counted := counts[at]; counted {
			counts[at]++
		}
	}

	all := make([]intrusion, 0, len(byKey))
	for k, group := range byKey {
		all = append(all, intrusion{strangers: group, sockets: counts[k.place]})
	}

	slices.SortFunc(all, func(a, b intrusion) int {
		x, y := a.strangers[0], b.strangers[0]

		return cmp.Or(cmp.Compare(x.relation, y.relation), comparePlaces(x.socket.place(), y.socket.place()),
			cmp.Compare(x.family.masters[0], y.family.masters[0]))
	})

	return all
}

// sharePct is how much of the new clients of its own address the strangers get, nil where that cannot be told.
func (in *intrusion) sharePct() *float64 {
	s := in.strangers[0]

	switch {
	case s.relation == RelationMoreSpecific:
		return new(100.0)
	case s.relation == RelationLessSpecific:
		return new(0.0)
	case s.socket.Network == TCP && s.socket.place() == s.own.place():
		return new(100 * float64(len(in.strangers)) / float64(in.sockets))
	}

	// Of UDP sockets without SO_REUSEPORT the one that was bound last gets all.
	return nil
}
