package listener

import "context"

const (
	schema = 1
	// maxGroups and maxNamespaces bound a payload.
	maxGroups     = 200
	maxNamespaces = 32
)

// Options say what a report is about.
type Options struct {
	// Port is the local port; 0 stands for all.
	Port uint16
	// Masters are the running nginx, whose network namespaces are looked at too.
	Masters []Master
	// Processes has the processes of all reported sockets found, which takes some microseconds for each descriptor on the
	// host; without it they are looked for only where a socket is strange to an nginx.
	Processes bool
}

// Report is the payload of hosting.listener.get.
type Report struct {
	Schema int `json:"schema"`
	// Port is 0 for all.
	Port uint16 `json:"port"`
	// TCPListeners and UDPSockets are counted over all Namespaces, of which the caller's own is the first.
	TCPListeners int         `json:"tcp_listeners"`
	UDPSockets   int         `json:"udp_sockets"`
	Namespaces   []Namespace `json:"namespaces"`
	// Groups are the sockets by address, the most interesting first.
	Groups        []Group `json:"groups"`
	GroupsOmitted int     `json:"groups_omitted"`
	// Processes are those that the groups name.
	Processes         []Process     `json:"processes"`
	Masters           []MasterState `json:"masters"`
	Foreigners        []Foreigner   `json:"foreigners"`
	ForeignersOmitted int           `json:"foreigners_omitted"`
	// ForeignersKnown is false where the sockets of a master could not be read, so that a foreigner may be missing.
	ForeignersKnown bool `json:"foreigners_known"`
	// SocketsVanished were strange to an nginx and gone before it was known whose they were.
	SocketsVanished int `json:"sockets_vanished"`
	// Search is absent where no process had to be looked for.
	Search *Search `json:"search,omitempty"`
}

// Namespace is a network namespace.
type Namespace struct {
	// ID is the number that lsns(8) shows; absent where this user may not know it.
	ID uint64 `json:"id,omitempty"`
	// PID is a process in it; absent for the caller's own.
	PID          int `json:"pid,omitempty"`
	TCPListeners int `json:"tcp_listeners"`
	UDPSockets   int `json:"udp_sockets"`
	// SocketsOmitted were too many to be kept.
	SocketsOmitted int `json:"sockets_omitted"`
	// TCPMigrateReq is net.ipv4.tcp_migrate_req: 1 spares the connections of a listener that is closed; absent where unknown.
	TCPMigrateReq *int     `json:"tcp_migrate_req,omitempty"`
	Counters      Counters `json:"counters"`
	// Notes say what had to be read in a weaker way, or not at all, and why.
	Notes []string `json:"notes,omitempty"`
}

// Read reports who listens. It fails where the sockets of the caller's own network namespace cannot be listed; what else
// cannot be read is missing in the report, which says so.
func (r *Reader) Read(ctx context.Context, o Options) (*Report, error) {
	report := &Report{
		Schema: schema, Port: o.Port, Masters: []MasterState{}, Foreigners: []Foreigner{}, ForeignersKnown: true,
	}

	views, err := r.views(ctx, report, o)
	if err != nil {
		return nil, err
	}

	var all []gathering
	for _, v := range views {
		all = append(all, gather(v.snapshot.query.PID, v.snapshot.Sockets, v.strangers)...)
	}

	sortByInterest(all)
	report.GroupsOmitted = max(0, len(all)-maxGroups)
	all = all[:len(all)-report.GroupsOmitted]

	held, err := r.holdersFor(ctx, report, views, all, o.Processes)
	if err != nil {
		return nil, err
	}

	for _, v := range views {
		confirmed, vanished := r.confirm(ctx, v.snapshot.query, v.strangers, held)
		v.strangers = confirmed
		report.SocketsVanished += vanished
	}

	report.describe(r.newDescriber(held, socketsShown(views, all)), views, all)

	return report, nil
}

// holdersFor looks for the holders of the strangers, and of all reported sockets where they are asked for, in one search.
func (r *Reader) holdersFor(ctx context.Context, report *Report, views []*view, all []gathering, everybody bool) (holdings, error) {
	var sockets []*Socket
	for _, v := range views {
		sockets = append(sockets, socketsOfStrangers(v.strangers)...)
	}

	if everybody {
		for _, g := range all {
			sockets = append(sockets, g.sockets...)
		}
	}

	if len(sockets) == 0 {
		return holdings{}, nil
	}

	held, search, err := r.findHolders(ctx, inodesOf(sockets))
	report.Search = &search

	return held, err
}

func socketsShown(views []*view, all []gathering) []*Socket {
	var sockets []*Socket
	for _, v := range views {
		sockets = append(sockets, socketsOfStrangers(v.strangers)...)
	}

	for _, g := range all {
		sockets = append(sockets, g.sockets[:min(len(g.sockets), maxSocketsShown)]...)
	}

	return sockets
}

// describe fills the report with what was found.
func (report *Report) describe(d *describer, views []*view, all []gathering) {
	foreign := make(map[*Socket]struct{})

	for _, v := range views {
		found, omitted := d.foreigners(v.snapshot, v.strangers)
		report.Foreigners = append(report.Foreigners, found...)
		report.ForeignersOmitted += omitted

		for _, s := range v.strangers {
			foreign[s.socket] = struct{}{}
		}
	}

	report.Groups = make([]Group, 0, len(all))
	for i := range all {
		g := d.group(&all[i])
		for _, s := range all[i].sockets {
			if _, is := foreign[s]; is {
				g.Foreign = true
			}
		}

		report.Groups = append(report.Groups, g)
	}

	report.Processes = d.all()
}
