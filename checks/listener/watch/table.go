package watch

import "net/netip"

// maxEntries bounds the table to some 20 MB. Of sockets beyond it nothing but their number is known.
const maxEntries = 50_000

// table is all entries. To add one and to take it away costs the same however many there are.
type table struct {
	byKey map[uint64]*entry
	// byPort has those whose port is known.
	byPort map[port]*neighbors
}

// neighbors are all sockets on one port. Those of this plugin itself are not among them.
type neighbors struct {
	spots map[spotKey]*spot
	// nginx are those that an nginx holds, others the rest.
	nginx, others []*spot
	// at counts the sockets at each place.
	at map[spotPlace]int
}

// spot is the sockets that one process has in one place, which meet the same others: a user may open any number of them.
type spot struct {
	key     spotKey
	entries []*entry
	// position is where it is in the list of the neighbors.
	position int
}

type spotKey struct {
	by    identity
	place spotPlace
	// v6Only is 0 where it is unknown, else 1 for no and 2 for yes.
	v6Only int8
	// master is the first nginx that holds it; 0 for none.
	master int
}

// spotPlace is what the TCP sockets of one group have in common on a port.
type spotPlace struct {
	address netip.Addr
	device  uint32
}

func newTable() table {
	return table{byKey: make(map[uint64]*entry), byPort: make(map[port]*neighbors)}
}

func (e *entry) spotKey() spotKey {
	key := spotKey{place: spotPlace{address: e.socket.Address.Addr(), device: e.socket.InterfaceIndex}}

	if e.by != nil {
		key.by = e.by.identity()
	}

	if only := e.socket.V6Only; only != nil {
		key.v6Only = 1
		if *only {
			key.v6Only = 2
		}
	}

	if len(e.masters) > 0 {
		key.master = e.masters[0]
	}

	return key
}

// put is false where there is no room.
func (t *table) put(e *entry) bool {
	if len(t.byKey) >= maxEntries {
		return false
	}

	t.byKey[e.key] = e
	t.index(e)

	return true
}

func (t *table) index(e *entry) {
	if e.socket.Address.Port() == 0 || e.ours {
		return
	}

	n := t.byPort[e.port()]
	if n == nil {
		n = &neighbors{spots: make(map[spotKey]*spot), at: make(map[spotPlace]int)}
		t.byPort[e.port()] = n
	}

	n.add(e)
}

func (t *table) remove(e *entry) {
	delete(t.byKey, e.key)
	t.unindex(e)
}

func (t *table) unindex(e *entry) {
	if e.spot == nil {
		return
	}

	at := e.port()
	if n := t.byPort[at]; n.remove(e) {
		delete(t.byPort, at)
	}
}

// update changes what an entry is found by.
func (t *table) update(e *entry, change func()) {
	t.unindex(e)
	change()
	t.index(e)
}

// list is where a spot is listed.
func (n *neighbors) list(key spotKey) *[]*spot {
	if key.master != 0 {
		return &n.nginx
	}

	return &n.others
}

func (n *neighbors) add(e *entry) {
	key := e.spotKey()
	s := n.spots[key]

	if s == nil {
		list := n.list(key)
		s = &spot{key: key, position: len(*list)}
		n.spots[key] = s
		*list = append(*list, s)
	}

	e.spot, e.position = s, len(s.entries)
	s.entries = append(s.entries, e)
	n.at[key.place]++
}

// remove says whether none is left.
func (n *neighbors) remove(e *entry) bool {
	s := e.spot
	e.spot = nil

	moved := dropAt(&s.entries, e.position)
	if moved != nil {
		moved.position = e.position
	}

	if n.at[s.key.place]--; n.at[s.key.place] == 0 {
		delete(n.at, s.key.place)
	}

	if len(s.entries) == 0 {
		delete(n.spots, s.key)

		if other := dropAt(n.list(s.key), s.position); other != nil {
			other.position = s.position
		}
	}

	return len(n.spots) == 0
}

// dropAt puts the last one in the place of one that goes, and returns it; nil where the last one goes.
func dropAt[T any](all *[]*T, position int) (moved *T) {
	last := len(*all) - 1
	if position < last {
		moved = (*all)[last]
		(*all)[position] = moved
	}

	(*all)[last] = nil
	*all = (*all)[:last]

	return moved
}
