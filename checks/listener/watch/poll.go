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
	openers := make(map[uint32]*opener)

	if named, err := l.w.reader.Name(ctx, news.pid, news.sockets); err == nil {
		processes := make(map[int]*opener)
		for i := range named.Processes {
			processes[named.Processes[i].PID] = l.namer.fromHolder(&named.Processes[i])
		}

		for _, group := range named.Groups {
			for _, s := range group.Sockets {
				if len(s.PIDs) > 0 {
					openers[s.Inode] = processes[s.PIDs[0]]
				}
			}
		}
	}

	l.w.mu.Lock()
	defer l.w.mu.Unlock()

	for i, socket := range news.sockets {
		by := openers[socket.Inode]
		if by == nil {
			by = &opener{uid: socket.UID}
		}

		l.w.book.open(&opening{socket: socket, namespace: news.namespace, at: now.begunAt, by: by, masters: news.masters[i]})
	}
}
