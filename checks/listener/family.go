package listener

import "slices"

// family is one nginx: the masters that share sockets, as the old and the new one do while nginx is upgraded.
type family struct {
	masters []int
	held    map[uint32]struct{}
}

// findFamilies reads the sockets of the masters.
func (r *Reader) findFamilies(masters []Master, sockets []Socket) ([]*family, []MasterState) {
	var families []*family

	listed := make(map[uint32]struct{}, len(sockets))
	for i := range sockets {
		listed[sockets[i].Inode] = struct{}{}
	}

	states := make([]MasterState, 0, len(masters))

	for _, m := range masters {
		held, err := r.heldBy(m, listed)
		state := MasterState{PID: m.PID, Sockets: len(held)}

		if err != nil {
			state.Error = err.Error()
		} else {
			families = join(families, &family{masters: []int{m.PID}, held: held})
		}

		states = append(states, state)
	}

	return families, states
}

// join adds a family, or makes it one with those that hold one of its sockets.
func join(families []*family, one *family) []*family {
	kept := families[:0]

	for _, f := range families {
		if !f.shares(one) {
			kept = append(kept, f)

			continue
		}

		one.masters = append(f.masters, one.masters...)
		for inode := range f.held {
			one.held[inode] = struct{}{}
		}
	}

	return append(kept, one)
}

func (f *family) shares(other *family) bool {
	for inode := range f.held {
		if _, is := other.held[inode]; is {
			return true
		}
	}

	return false
}

// maxAncestors ends a walk up through processes that change meanwhile.
const maxAncestors = 64

// DescendsFrom says whether the process is one of the masters or below one.
func (r *Reader) DescendsFrom(pid int, masters []int) bool {
	for range maxAncestors {
		if slices.Contains(masters, pid) {
			return true
		}

		p, err := readStat(r.proc, pid)
		if err != nil || p.PPID <= 0 {
			return false
		}

		pid = p.PPID
	}

	return false
}
