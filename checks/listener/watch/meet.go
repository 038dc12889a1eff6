package watch

import "zabbix-agent2-plugin-hosting/checks/listener"

const (
	// maxMet is how many meetings with nginx are kept of an episode, and as many with others, one for each process and place.
	maxMet = 16
	// maxWalked bounds how many of those that are not known to be nginx's are looked at, as any user may make more.
	maxWalked = 256
)

// meet finds the sockets of others whose clients the new one may get, and says whether anybody is in its place. Of more
// others than are walked through, a look finds those that turn out to be nginx's.
func (t *table) meet(e *entry) (met []meeting, joined bool) {
	n := t.byPort[e.port()]
	if n == nil {
		return nil, false
	}

	met = e.meetings(nil, n.nginx)
	met = e.meetings(met, n.others[max(0, len(n.others)-maxWalked):])

	return met, n.at[e.spotKey().place] > 0
}

func (e *entry) meetings(met []meeting, spots []*spot) []meeting {
	by := e.by.identity()
	room := len(met) + maxMet

	for _, s := range spots {
		other := s.entries[0]
		if len(met) == room {
			break
		}

		if other.by != nil && s.key.by == by {
			continue
		}

		if relation, overlap := listener.Relate(&e.socket, &other.socket); overlap {
			met = append(met, meeting{other: other, relation: relation})
		}
	}

	return met
}
