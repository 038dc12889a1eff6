package listener

import "context"

// Standing is who holds what in one network namespace at one moment.
type Standing struct {
	// NamespaceID is the number that lsns(8) shows, 0 for who may not know it; PID is a process in it, 0 for the caller's own.
	NamespaceID uint64
	PID         int
	// Sockets are those that receive clients.
	Sockets []Socket
	// Notes say what had to be read in a weaker way, and why.
	Notes []string
	// Nginx are the nginx whose sockets could be read.
	Nginx []Nginx
}

// Nginx is the masters that share sockets, as the old and the new one do while nginx is upgraded.
type Nginx struct {
	Masters []int
	held    map[uint32]struct{}
}

// Holds says whether one of the masters holds the socket.
func (n *Nginx) Holds(s *Socket) bool {
	_, is := n.held[s.Inode]

	return is
}

// Standings looks at the caller's network namespace, which comes first, and at those of the masters. The states tell which
// masters could be judged. It fails where the sockets of the caller's own network namespace cannot be listed.
func (r *Reader) Standings(ctx context.Context, masters []Master) ([]Standing, []MasterState, error) {
	places, states, err := r.neighborhoods(masters)
	if err != nil {
		return nil, nil, err
	}

	var all []Standing

	for _, place := range places {
		s, err := r.Snapshot(ctx, Query{PID: place.pid})

		switch {
		case err == nil:
		case place.pid == 0 || ctx.Err() != nil:
			return nil, nil, err
		default:
			states = append(states, place.unknown(err)...)

			continue
		}

		families, ofMasters := r.findFamilies(place.masters, s.Sockets)
		states = append(states, ofMasters...)
		standing := Standing{NamespaceID: r.namespaceID(place.pid), PID: place.pid, Sockets: s.Sockets, Notes: s.Notes}

		for _, f := range families {
			standing.Nginx = append(standing.Nginx, Nginx{Masters: f.masters, held: f.held})
		}

		all = append(all, standing)
	}

	return all, states, nil
}
