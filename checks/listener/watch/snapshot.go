package watch

import (
	"cmp"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// Snapshot is what was seen so far.
func (w *Watcher) Snapshot() *Events {
	w.mu.Lock()
	defer w.mu.Unlock()

	b := w.book
	unknown := cmp.Or(b.foreignersError, b.full())
	e := &Events{
		Schema: schema, TCP: w.tcp, UDP: w.udp, Opened: b.opened, Closed: b.closed, Refused: b.refused, Ours: b.ours, Lost: w.lost, Skipped: w.skipped,
		Foreign: b.foreign, ForeignByPort: []PortCount{}, ForeignByPortOther: b.foreignByPort.other,
		ForeignByExecutable: []ExecutableCount{}, ForeignByExecutableOther: b.foreignByProgram.other, Masters: b.masters,
		ForeignersKnown: unknown == "", ForeignersError: unknown,
		Foreigners: b.lastForeigners.events(), Events: b.lastEvents.events(),
	}

	if !w.startedAt.IsZero() {
		e.StartedAt = unixSeconds(w.startedAt)
	}

	if e.Masters == nil {
		e.Masters = []listener.MasterState{}
	}

	for _, port := range b.foreignByPort.names() {
		e.ForeignByPort = append(e.ForeignByPort, PortCount{Port: port, Count: b.foreignByPort.counts[port]})
	}

	for _, program := range b.foreignByProgram.names() {
		e.ForeignByExecutable = append(e.ForeignByExecutable, ExecutableCount{Executable: program, Count: b.foreignByProgram.counts[program]})
	}

	return e
}
