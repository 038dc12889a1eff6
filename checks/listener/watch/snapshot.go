package watch

import (
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// Snapshot is what was seen so far.
func (w *Watcher) Snapshot() *Events {
	w.mu.Lock()
	defer w.mu.Unlock()

	b := w.book
	e := &Events{
		Schema: schema, TCP: w.tcp, UDP: w.udp, Opened: b.opened, Closed: b.closed, Refused: b.refused, Ours: b.ours, Lost: w.lost, Skipped: w.skipped,
		Foreign: b.foreign, ForeignByPort: []PortCount{}, ForeignByPortOther: b.foreignByPort.other,
		ForeignByExecutable: []ExecutableCount{}, ForeignByExecutableOther: b.foreignByProgram.other, Masters: b.masters,
		ForeignersKnown: b.foreignersError == "", ForeignersError: b.foreignersError,
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

// ForeignAt is the last foreigner that listened on a TCP port at that time, give or take within; nil where there was none
// among the last 100. It is for the evidence of a request that failed then.
func (w *Watcher) ForeignAt(port uint16, at time.Time, within time.Duration) *Event {
	w.mu.Lock()
	defer w.mu.Unlock()

	moment := sinceBoot() + time.Until(at)

	p := w.book.foreignAt(port, moment-within, moment+within)
	if p == nil {
		return nil
	}

	return new(p.event())
}
