package watch

import (
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// book keeps who listens and who did, from what a source tells: the kernel or a poll. It is for one caller at a time.
type book struct {
	reader *listener.Reader
	// own is this process, whose sockets and whose children's are not listed; 0 to list them.
	own int

	table    table
	episodes map[episodeKey]*episode
	// waiting are the episodes that met somebody and are not judged yet.
	waiting []*episode
	// udpPorts are those on which UDP sockets are taken down.
	udpPorts map[uint16]struct{}
	// nginx are those of each network namespace, as of the last look at refreshedAt.
	nginx       map[uint64][]listener.Nginx
	refreshedAt time.Duration
	// closing are the sockets that were closed since a look at all was begun; nil while none is.
	closing map[uint64]struct{}

	// gained are sockets that were found to be an nginx's since who was there before was last asked for, which takes that mastersKnown is true.
	gained       map[*entry]struct{}
	mastersKnown bool
	// begunAt is when all sockets were known for the first time.
	begunAt time.Duration

	// fullAt is when there last was no room in the table; 0 where it has all there is.
	fullAt time.Duration

	number                                 uint64
	opened, closed, refused, ours, foreign uint64
	foreignByPort                          tally[uint16]
	foreignByProgram                       tally[string]
	lastForeigners, lastEvents             recent
	masters                                []listener.MasterState
	foreignersError                        string
}

func newBook(r *listener.Reader, own int) *book {
	return &book{
		reader: r, own: own, table: newTable(), episodes: make(map[episodeKey]*episode), udpPorts: make(map[uint16]struct{}),
		gained: make(map[*entry]struct{}),
	}
}

// opening is a socket that began to receive clients.
type opening struct {
	socket    listener.Socket
	namespace uint64
	at        time.Duration
	reusePort *bool
	by        *opener
	// masters are the nginx that holds it, where that is known.
	masters []int
}

// open takes down an opening.
func (b *book) open(o *opening) {
	e := &entry{
		key: keyOf(&o.socket), socket: o.socket, namespace: o.namespace, openedAt: o.at, by: o.by, masters: o.masters,
		ours: b.isOurs(o.by),
	}

	// A look at all sockets may have been quicker than the record.
	if before := b.table.byKey[e.key]; before != nil {
		b.forget(before)

		e.masters = before.masters
		if e.socket.Address.Port() == 0 {
			e.socket.Address = before.socket.Address
		}
	}

	if e.ours {
		b.ours++
		b.table.put(e)

		return
	}

	b.opened++
	met, joined := b.table.meet(e)
	kept := b.table.put(e)
	p := b.episodes[keyOfEpisode(e)]

	if p == nil {
		p = b.begin(e, joined, o.reusePort)
		b.list(p)
	}

	p.sockets++
	e.episode = p

	b.wait(p, met)

	if !kept {
		b.fullAt = o.at

		// Its end cannot be known.
		if p.open == 0 {
			delete(b.episodes, p.key)
		}

		return
	}

	p.open++
	b.gain(e)
}

// closing is a socket that ceased to receive clients.
type closing struct {
	key uint64
	at  time.Duration
	// socket is what is known of it at its end: the port, where the kernel chose it.
	socket listener.Socket
	// inListen says that the kernel refused to have it listen.
	inListen bool
}

// close takes down a closing. Of a socket that nobody saw before only the number is known.
func (b *book) close(c *closing) {
	if b.closing != nil {
		b.closing[c.key] = struct{}{}
	}

	e := b.table.byKey[c.key]
	if e != nil && e.ours {
		b.table.remove(e)

		return
	}

	b.closed++

	if c.inListen {
		b.refused++
	}

	if e == nil {
		b.closeUnkept(c)

		return
	}

	b.table.remove(e)

	if e.socket.Address.Port() == 0 {
		e.socket.Address = c.socket.Address
	}

	if e.episode != nil {
		b.end(e.episode, c)
	}
}

func (b *book) end(p *episode, c *closing) {
	p.open--
	if p.open > 0 {
		return
	}

	p.closedAt = c.at
	p.refused = c.inListen && p.sockets == 1
	delete(b.episodes, p.key)
}

// forget drops a socket whose end was not seen.
func (b *book) forget(e *entry) {
	b.table.remove(e)

	if e.episode != nil {
		b.end(e.episode, &closing{})
	}
}
