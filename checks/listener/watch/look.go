package watch

import (
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

// look is all sockets at one moment, and what is to be done with them.
type look struct {
	standings []listener.Standing
	begunAt   time.Duration
	// polled are the networks of which nothing else tells.
	polled map[listener.Network]bool
	// distrust has dropped what is not there: records of closings were lost.
	distrust bool
}

// beginLook remembers what is closed from now on, as a list that is made meanwhile may still have it.
func (b *book) beginLook() { b.closing = make(map[uint64]struct{}) }

// appeared are sockets that a poll met for the first time.
type appeared struct {
	namespace uint64
	sockets   []listener.Socket
	masters   [][]int
}

// take takes over whose the sockets are, and those that were not known. It returns what appeared since the last look where
// networks are polled; what vanished is taken for closed.
func (b *book) take(l *look) (news []appeared) {
	if b.refreshedAt == 0 {
		b.begunAt = l.begunAt
	}

	// What found no room before is among those that are looked at now.
	if b.fullAt < l.begunAt {
		b.fullAt = 0
	}

	b.nginx = make(map[uint64][]listener.Nginx)
	seen := make(map[uint64]struct{})
	// Without cookies a look does not tell what is there still of what the kernel told of.
	covered := make(map[uint64]bool)

	for i := range l.standings {
		s := &l.standings[i]
		b.nginx[s.NamespaceID] = s.Nginx
		covered[s.NamespaceID] = len(s.Notes) == 0

		if one := b.takeStanding(l, s, seen); len(one.sockets) > 0 {
			news = append(news, one)
		}
	}

	// Where nobody looked it is not known what was closed. It is kept as long as there is room for others.
	crowded := len(b.table.byKey) > maxEntries/2

	for key, e := range b.table.byKey {
		whole, isCovered := covered[e.namespace]
		_, isSeen := seen[key]

		switch {
		case isSeen || e.openedAt >= l.begunAt:
		case isCovered && l.polled[e.socket.Network]:
			b.close(&closing{key: key, at: l.begunAt})
		case l.distrust && (whole || crowded):
			b.forget(e)
		}
	}

	b.refreshedAt = l.begunAt
	b.closing = nil

	return news
}

func (b *book) takeStanding(l *look, s *listener.Standing, seen map[uint64]struct{}) appeared {
	news := appeared{namespace: s.NamespaceID}
	b.learnPorts(s)

	for i := range s.Sockets {
		socket := &s.Sockets[i]
		polled := l.polled[socket.Network]

		if socket.Network == listener.UDP {
			if _, is := b.udpPorts[socket.Address.Port()]; !is {
				continue
			}
		}

		// The kernel's records have no inodes, so one without a cookie could not be told from others.
		if socket.Cookie == 0 && !polled {
			continue
		}

		key := keyOf(socket)
		seen[key] = struct{}{}

		if _, isClosed := b.closing[key]; isClosed {
			continue
		}

		masters := mastersIn(s, socket)

		switch e := b.table.byKey[key]; {
		case e != nil:
			b.update(e, socket, masters)
		case polled && b.refreshedAt != 0:
			news.sockets = append(news.sockets, *socket)
			news.masters = append(news.masters, masters)
		default:
			b.find(&entry{key: key, socket: *socket, namespace: s.NamespaceID, masters: masters}, l.begunAt)
		}
	}

	return news
}

// find takes down a socket of which nobody has told.
func (b *book) find(e *entry, at time.Duration) {
	e.foundAt = at

	if b.table.put(e) {
		b.gain(e)
	} else {
		b.fullAt = at
	}
}

func (b *book) update(e *entry, socket *listener.Socket, masters []int) {
	address := e.socket.Address
	if address.Port() == 0 {
		address = socket.Address
	}

	if slices.Equal(e.masters, masters) && address == e.socket.Address {
		return
	}

	known := len(e.masters) > 0
	b.table.update(e, func() { e.masters, e.socket.Address = masters, address })

	if !known {
		b.gain(e)
	}
}

// mastersIn are the nginx that holds the socket.
func mastersIn(s *listener.Standing, socket *listener.Socket) []int {
	for i := range s.Nginx {
		if s.Nginx[i].Holds(socket) {
			return s.Nginx[i].Masters
		}
	}

	return nil
}

// learnPorts has the UDP ports watched on which an nginx has a socket, also when that nginx is gone: it may come back.
func (b *book) learnPorts(s *listener.Standing) {
	for i := range s.Sockets {
		socket := &s.Sockets[i]
		if socket.Network == listener.UDP && len(b.udpPorts) < probe.MaxPorts && len(mastersIn(s, socket)) > 0 {
			b.udpPorts[socket.Address.Port()] = struct{}{}
		}
	}
}

// giveUp ends a look that failed. Those that wait for it are judged by what is known.
func (b *book) giveUp(begunAt time.Duration) {
	b.refreshedAt = begunAt
	b.closing = nil
}

// udpCookies are the UDP sockets that are open.
func (b *book) udpCookies() (all []uint64) {
	for key, e := range b.table.byKey {
		if e.socket.Network == listener.UDP {
			all = append(all, key)
		}
	}

	return all
}
