package listener

import "fmt"

// neighborhood is a network namespace and the masters in it.
type neighborhood struct {
	// pid is a process in it; 0 for the caller's own.
	pid     int
	masters []Master
}

// neighborhoods are the caller's network namespace, which is the first, and those of the masters. A master is failed whose
// network namespace cannot be told or is one too many.
func (r *Reader) neighborhoods(masters []Master) (all []neighborhood, failed []MasterState, err error) {
	own, err := r.namespaceKey(0)
	if err != nil {
		return nil, nil, err
	}

	all = []neighborhood{{}}
	numbers := map[uint64]int{own: 0}

	for _, m := range masters {
		key, err := r.namespaceKey(m.PID)
		number, known := numbers[key]

		if err == nil && !known && len(all) == maxNamespaces {
			err = fmt.Errorf("cannot look at the network namespace of process %d: there are more than %d", m.PID, maxNamespaces)
		}

		if err != nil {
			failed = append(failed, MasterState{PID: m.PID, Error: err.Error()})

			continue
		}

		if !known {
			number = len(all)
			numbers[key] = number

			all = append(all, neighborhood{pid: m.PID})
		}

		all[number].masters = append(all[number].masters, m)
	}

	return all, failed, nil
}

// unknown are the masters of a network namespace that cannot be looked at.
func (n *neighborhood) unknown(err error) []MasterState {
	states := make([]MasterState, 0, len(n.masters))
	for _, m := range n.masters {
		states = append(states, MasterState{PID: m.PID, Error: err.Error()})
	}

	return states
}
