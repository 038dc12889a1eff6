package listener

import (
	"context"
	"net/netip"
	"slices"
)

// maxForeigners bounds a payload.
const maxForeigners = 50

// Foreigner is a listener on an address of an nginx whose master's process tree does not hold its sockets.
type Foreigner struct {
	// MasterPID is the nginx concerned.
	MasterPID int `json:"master_pid"`
	// NamespacePID is a process in the network namespace of both; absent for the caller's own.
	NamespacePID int            `json:"namespace_pid,omitempty"`
	Network      Network        `json:"network"`
	Address      netip.AddrPort `json:"address"`
	Interface    string         `json:"interface,omitempty"`
	// MasterAddress is the one of nginx that is hit.
	MasterAddress netip.AddrPort `json:"master_address"`
	Relation      Relation       `json:"relation"`
	RelationName  string         `json:"relation_name"`
	// SharePct is how much of the new clients of Address it gets that would be nginx's; absent where that cannot be told.
	SharePct *float64 `json:"share_pct,omitempty"`
	// Sentence tells an administrator which clients it takes.
	Sentence         string       `json:"sentence"`
	Sockets          []HeldSocket `json:"sockets"`
	SocketsOmitted   int          `json:"sockets_omitted,omitempty"`
	Processes        []Process    `json:"processes"`
	ProcessesOmitted int          `json:"processes_omitted,omitempty"`
}

// Foreigners are all that were found at one moment.
type Foreigners struct {
	Found []Foreigner
	// Omitted is how many more there are than the 50 that are described.
	Omitted int
	// Masters tells which masters could be judged.
	Masters []MasterState
	// Vanished is how many sockets were gone before it was known whose they were.
	Vanished int
	// Search is nil where no socket was strange, so that nobody had to be looked for.
	Search *Search
}

// Foreigners finds who listens on the addresses of these masters, all of which are in the snapshot's network namespace.
// A socket that a process of the master's tree holds is nginx's, whoever else holds it: so are those that it inherited
// from systemd or from the master it replaced. While no socket is strange it costs a look at the masters' descriptors.
func (r *Reader) Foreigners(ctx context.Context, s *Snapshot, masters []Master) (*Foreigners, error) {
	families, states := r.findFamilies(masters, s.Sockets)
	found := &Foreigners{Masters: states}
	strangers := findStrangers(s.Sockets, families)

	if len(strangers) == 0 {
		return found, nil
	}

	held, search, err := r.findHolders(ctx, inodesOf(socketsOfStrangers(strangers)))
	if err != nil {
		return nil, err
	}

	found.Search = &search

	strangers, found.Vanished = r.confirm(ctx, s.query, strangers, held)
	d := r.newDescriber(held, socketsOfStrangers(strangers))
	found.Found, found.Omitted = d.foreigners(s, strangers)

	return found, nil
}

// confirm drops the sockets that a process of nginx's tree holds, and those that nobody holds because they are gone: nginx
// may have closed them for a reload.
func (r *Reader) confirm(ctx context.Context, q Query, strangers []stranger, held holdings) (kept []stranger, vanished int) {
	var now map[uint32]struct{}

	for _, s := range strangers {
		holders := held[s.socket.Inode]
		if slices.ContainsFunc(holders, func(h holding) bool { return r.DescendsFrom(h.pid, s.family.masters) }) {
			continue
		}

		if len(holders) == 0 && now == nil {
			now = r.stillThere(ctx, q)
		}

		if _, there := now[s.socket.Inode]; len(holders) == 0 && !there {
			vanished++

			continue
		}

		kept = append(kept, s)
	}

	return kept, vanished
}

// stillThere is empty where the network namespace is gone as well.
func (r *Reader) stillThere(ctx context.Context, q Query) map[uint32]struct{} {
	now := make(map[uint32]struct{})

	if s, err := r.Snapshot(ctx, q); err == nil {
		for i := range s.Sockets {
			now[s.Sockets[i].Inode] = struct{}{}
		}
	}

	return now
}

func socketsOfStrangers(strangers []stranger) []*Socket {
	all := make([]*Socket, 0, len(strangers))
	for _, s := range strangers {
		all = append(all, s.socket)
	}

	return all
}

func inodesOf(sockets []*Socket) map[uint32]struct{} {
	all := make(map[uint32]struct{}, len(sockets))
	for _, s := range sockets {
		all[s.Inode] = struct{}{}
	}

	return all
}

// foreigners describes the worst.
func (d *describer) foreigners(s *Snapshot, strangers []stranger) (found []Foreigner, omitted int) {
	all := intrusions(s.Sockets, strangers)
	kept := all[:min(len(all), maxForeigners)]

	found = make([]Foreigner, 0, len(kept))
	for i := range kept {
		f := d.foreigner(&kept[i])
		f.NamespacePID = s.query.PID
		found = append(found, f)
	}

	return found, len(all) - len(kept)
}

func (d *describer) foreigner(in *intrusion) Foreigner {
	first := in.strangers[0]
	sockets := socketsOfStrangers(in.strangers)
	f := Foreigner{
		MasterPID:     first.family.masters[0],
		Network:       first.socket.Network,
		Address:       first.socket.Address,
		Interface:     first.socket.Interface,
		MasterAddress: first.own.Address,
		Relation:      first.relation,
		RelationName:  first.relation.String(),
		SharePct:      in.sharePct(),
		Sentence:      in.sentence(),
		Processes:     []Process{},
	}
	f.Sockets, f.SocketsOmitted = d.sockets(sockets)

	for _, pid := range d.pids(sockets...) {
		if len(f.Processes) == maxProcessesShown {
			f.ProcessesOmitted++
		} else if p, ok := d.process(pid); ok {
			f.Processes = append(f.Processes, p)
		}
	}

	return f
}
