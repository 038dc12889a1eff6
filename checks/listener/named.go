package listener

import "context"

// Named are sockets by address and the processes that hold them.
type Named struct {
	Groups        []Group `json:"groups"`
	GroupsOmitted int     `json:"groups_omitted"`
	// Processes are those that the groups name.
	Processes []Process `json:"processes"`
	Search    Search    `json:"search"`
}

// Name tells who holds these sockets, such as those that appeared between two snapshots; all are of the network namespace
// of the process pid, 0 being the caller's own. A socket that is gone has no process.
func (r *Reader) Name(ctx context.Context, pid int, sockets []Socket) (*Named, error) {
	all := gather(pid, sockets, nil)
	sortByInterest(all)

	named := &Named{GroupsOmitted: max(0, len(all)-maxGroups)}
	all = all[:len(all)-named.GroupsOmitted]

	var shown []*Socket
	for _, g := range all {
		shown = append(shown, g.sockets...)
	}

	held, search, err := r.findHolders(ctx, inodesOf(shown))
	if err != nil {
		return nil, err
	}

	d := r.newDescriber(held, shown)
	named.Search = search

	named.Groups = make([]Group, 0, len(all))
	for i := range all {
		named.Groups = append(named.Groups, d.group(&all[i]))
	}

	named.Processes = d.all()

	return named, nil
}

// Holders are who holds each of these sockets, by its inode: the process with the lowest number where several do. A socket that is gone has none.
func (r *Reader) Holders(ctx context.Context, sockets []Socket) (map[uint32]*Process, error) {
	all := pointersTo(sockets)

	held, _, err := r.findHolders(ctx, inodesOf(all))
	if err != nil {
		return nil, err
	}

	d := r.newDescriber(held, nil)
	holders := make(map[uint32]*Process, len(held))

	for _, s := range all {
		for _, pid := range d.pids(s) {
			if p, alive := d.process(pid); alive {
				holders[s.Inode] = &p

				break
			}
		}
	}

	return holders, nil
}
