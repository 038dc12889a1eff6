package watch

import (
	"context"
	"maps"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// gain remembers a socket that was found to be an nginx's, until those are known who were there before.
func (b *book) gain(e *entry) {
	if len(e.masters) > 0 {
		b.gained[e] = struct{}{}
	}
}

// strangers compares what turned out to be an nginx's with the sockets of others that were there already. An episode waits to be judged then. Sockets
// that were there before the watch are returned, as nobody knows yet whose they are; what is too much for one call is left to the next. As long as it is
// not known of all nginx what is theirs, one could be taken for a stranger to another.
func (b *book) strangers() (before []*entry) {
	maps.DeleteFunc(b.gained, func(e *entry, _ struct{}) bool { return e.spot == nil || len(e.masters) == 0 })

	if !b.mastersKnown {
		return nil
	}

	compared := make(map[*spot]struct{})

	for own := range b.gained {
		if len(before) >= maxWalked {
			break
		}

		if _, is := compared[own.spot]; !is {
			compared[own.spot] = struct{}{}
			before = append(before, b.beside(own)...)
		}

		if len(before) < maxWalked {
			delete(b.gained, own)
		}
	}

	return before
}

func (b *book) beside(own *entry) (before []*entry) {
	for _, s := range b.table.byPort[own.port()].others {
		relation, overlap := listener.Relate(&s.entries[0].socket, &own.socket)
		if !overlap {
			continue
		}

		for _, e := range s.entries {
			switch {
			case e.episode != nil:
				b.meetLater(e.episode, meeting{other: own, relation: relation})
			// Of one that was found later the record is still to come, or was lost.
			case e.foundAt == b.begunAt && len(before) < maxWalked:
				before = append(before, e)
			}
		}
	}

	return before
}

// meetLater is a meeting that nobody knew of when the episode began.
func (b *book) meetLater(p *episode, m meeting) {
	known := slices.ContainsFunc(p.met, func(other meeting) bool { return other.other.spot == m.other.spot })
	if p.counted || known || len(p.met) >= 2*maxMet {
		return
	}

	if len(p.met) == 0 {
		b.waiting = append(b.waiting, p)
	}

	p.met, p.unclearAt = append(p.met, m), 0
}

// stood is told who holds a socket that was there before the watch. It is an event where it is foreign.
func (b *book) stood(e *entry, by *opener) {
	if b.table.byKey[e.key] != e || e.episode != nil {
		return
	}

	b.table.update(e, func() { e.by, e.ours = by, b.isOurs(by) })

	if e.ours {
		return
	}

	p := b.episodes[keyOfEpisode(e)]
	if p == nil {
		p = b.begin(e, false, nil)
		p.before, p.openedAt = true, b.begunAt
	}

	e.episode = p
	p.sockets++
	p.open++

	met, _ := b.table.meet(e)
	b.wait(p, met)
}

// takeStrangers names who was there before the watch.
func (l *looker) takeStrangers(ctx context.Context, before []*entry) {
	if len(before) == 0 {
		return
	}

	sockets := make([]listener.Socket, len(before))
	for i, e := range before {
		sockets[i] = e.socket
	}

	openers := l.openers(ctx, sockets)

	l.w.mu.Lock()
	defer l.w.mu.Unlock()

	for i, e := range before {
		l.w.book.stood(e, openers[i])
	}
}
