package watch

import (
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
	// foundAt is of the look that found it before its record was read; 0 where the record came first.
	foundAt time.Duration
	// by is nil for one that was there before the watch.
	by *opener
	// ours is of this plugin itself.
	ours bool
	// masters are the nginx that holds it; empty for none, and as long as nobody has looked.
	masters []int
	// episode is nil for one that was there before the watch.
	episode *episode

	// spot is where the table has it at position; nil where it is not found by its port.
	spot     *spot
	position int
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
