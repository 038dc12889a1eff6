package watch

import (
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// entry is a socket that receives clients now.
type entry struct {
	key       uint64
	socket    listener.Socket
	namespace uint64
	// openedAt is 0 for one that was there before the watch.
	openedAt time.Duration
	// by is nil for one that was there before the watch.
	by *opener
	// ours is of this plugin itself.
	ours bool
	// masters are the nginx that holds it; empty for none, and as long as nobody has looked.
	masters []int
	// episode is nil for one that was there before the watch.
	episode *episode
}

// keyOf tells a socket from all others: by its cookie, or by its inode where the kernel's cookies are not known.
func keyOf(s *listener.Socket) uint64 {
	const isInode = 1 << 63

	if s.Cookie != 0 {
		return s.Cookie
	}

	return isInode | uint64(s.Inode)
}

// port is what two sockets must have in common to meet.
type port struct {
	namespace uint64
	network   listener.Network
	number    uint16
}

func (e *entry) port() port {
	return port{namespace: e.namespace, network: e.socket.Network, number: e.socket.Address.Port()}
}

// samePlace says whether both are at one address, so that TCP sockets there are one group.
func samePlace(a, b *listener.Socket) bool {
	return a.Network == b.Network && a.Address == b.Address && a.InterfaceIndex == b.InterfaceIndex
}

// table is all entries.
type table struct {
	byKey map[uint64]*entry
	// byPort has those whose port is known.
	byPort map[port][]*entry
}

// maxEntries bounds the table to some 20 MB. Of sockets beyond it nothing but their number is known.
const maxEntries = 50_000

func newTable() table {
	return table{byKey: make(map[uint64]*entry), byPort: make(map[port][]*entry)}
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
	if e.socket.Address.Port() != 0 {
		t.byPort[e.port()] = append(t.byPort[e.port()], e)
	}
}

func (t *table) remove(e *entry) {
	delete(t.byKey, e.key)

	at := e.port()

	rest := slices.DeleteFunc(t.byPort[at], func(other *entry) bool { return other == e })
	if len(rest) == 0 {
		delete(t.byPort, at)
	} else {
		t.byPort[at] = rest
	}
}
