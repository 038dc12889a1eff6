package watch

import (
	"context"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// pause is how long to rest, which is how long a socket may be open unseen where sockets are polled.
func (l *looker) pause(took time.Duration) time.Duration {
	w := l.w

	w.mu.Lock()
	defer w.mu.Unlock()

	rest := max(w.options.Interval, leastRest(took))
	polls := false

	for _, c := range []*Coverage{&w.tcp, &w.udp} {
		if c.State == StatePolling {
			c.BlindS = (rest + took).Seconds()
			polls = true
		}
	}

	if polls {
		return rest
	}

	return max(mastersInterval, rest)
}

// takeNews names who opened what a poll met.
func (l *looker) takeNews(ctx context.Context, now *look, news appeared) {
	openers := l.openers(ctx, news.sockets)

	l.w.mu.Lock()
	defer l.w.mu.Unlock()

	for i, socket := range news.sockets {
		l.w.book.open(&opening{socket: socket, namespace: news.namespace, at: now.begunAt, by: openers[i], masters: news.masters[i]})
	}
}

// openers are those who hold the sockets. One who cannot be found is unknown.
func (l *looker) openers(ctx context.Context, sockets []listener.Socket) []*opener {
	holders, _ := l.w.reader.Holders(ctx, sockets)
	known := make(map[int]*opener)
	all := make([]*opener, len(sockets))

	for i := range sockets {
		holder := holders[sockets[i].Inode]
		if holder == nil {
			all[i] = l.namer.nobody(sockets[i].UID)

			continue
		}

		if known[holder.PID] == nil {
			known[holder.PID] = l.namer.fromHolder(holder)
		}

		all[i] = known[holder.PID]
	}

	return all
}
