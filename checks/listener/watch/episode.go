package watch

import (
	"net/netip"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// episode is a process that listens on an address: what becomes an Event.
type episode struct {
	number uint64
	key    episodeKey
	by     *opener
	// first is its first socket.
	first     *entry
	reusePort *bool
	joined    bool
	// sockets were opened, open of them are.
	sockets, open int
	// closedAt is 0 where its end was not seen.
	openedAt, closedAt time.Duration
	// before says that it was there before the watch, and openedAt is the watch's beginning.
	before  bool
	refused bool
	// met are sockets of others that have clients in common with it, until it is known whose they are.
	met []meeting
	// unclearAt is the look after which a further one could tell whose they are.
	unclearAt time.Duration
	concerns  []Concern
	// counted says that it is among the foreigners.
	counted bool
}

// episodeKey is what the sockets of one episode have in common.
type episodeKey struct {
	by        identity
	namespace uint64
	network   listener.Network
	address   netip.AddrPort
	device    uint32
}

// meeting is a socket whose clients the episode may get.
type meeting struct {
	other    *entry
	relation listener.Relation
}

func keyOfEpisode(e *entry) episodeKey {
	return episodeKey{
		by: e.by.identity(), namespace: e.namespace, network: e.socket.Network,
		address: e.socket.Address, device: e.socket.InterfaceIndex,
	}
}

// list makes an event of an episode.
func (b *book) list(p *episode) {
	b.number++
	p.number = b.number
	b.lastEvents.add(p)
}

func (b *book) begin(e *entry, joined bool, reusePort *bool) *episode {
	p := &episode{key: keyOfEpisode(e), by: e.by, first: e, reusePort: reusePort, joined: joined, openedAt: e.openedAt}

	// A socket without a port is like no other.
	if e.socket.Address.Port() != 0 && e.by.identity() != (identity{}) {
		b.episodes[p.key] = p
	}

	return p
}

// event is what is known now.
func (p *episode) event() Event {
	e := Event{
		Number: p.number, OpenedAt: unixSeconds(wallTime(p.openedAt)), Listening: p.open > 0, Network: p.key.network,
		Address: p.first.socket.Address, NamespaceID: p.key.namespace, Sockets: p.sockets, ReusePort: p.reusePort,
		Joined: p.joined, Refused: p.refused, Process: p.by.process, Parents: p.by.parents, UID: p.by.uid, User: p.by.user,
		Cgroup: p.by.cgroup, Unit: p.by.unit, Foreign: p.counted, Concerns: p.concerns,
		before: p.before,
	}

	if e.Parents == nil {
		e.Parents = []Process{}
	}

	if p.closedAt != 0 && !p.before {
		e.LifetimeS = new((p.closedAt - p.openedAt).Seconds())
	}

	e.Sentence = e.sentence()

	return e
}

// program is by what name its executable is counted.
func (p *episode) program() string {
	switch {
	case p.by.process == nil:
		return "unknown"
	case p.by.process.Executable != "":
		return p.by.process.Executable
	}

	return p.by.process.Name
}

// recent are the last episodes of a kind.
type recent []*episode

func (r *recent) add(p *episode) {
	if len(*r) == maxKept {
		copy(*r, (*r)[1:])
		(*r)[maxKept-1] = p

		return
	}

	*r = append(*r, p)
}

// events are newest first.
func (r recent) events() []Event {
	all := make([]Event, 0, len(r))
	for i := range r {
		all = append(all, r[len(r)-1-i].event())
	}

	return all
}
