package watch

import (
	"context"
	"time"
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
	// Who cannot be found is unknown.
	holders, _ := l.w.reader.Holders(ctx, news.sockets)
	openers := make(map[int]*opener)

	for _, holder := range holders {
		if openers[holder.PID] == nil {
			openers[holder.PID] = l.namer.fromHolder(holder)
		}
	}

	l.w.mu.Lock()
	defer l.w.mu.Unlock()

	for i, socket := range news.sockets {
		by := l.namer.nobody(socket.UID)
		if holder := holders[socket.Inode]; holder != nil {
			by = openers[holder.PID]
		}

		l.w.book.open(&opening{socket: socket, namespace: news.namespace, at: now.begunAt, by: by, masters: news.masters[i]})
	}
}
