package nginx

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx/conf"
	"zabbix-agent2-plugin-hosting/checks/nginx/hazard"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
)

// testFacts is what a test would have done.
type testFacts struct {
	binds  []hazard.Bind
	writes []hazard.Write
}

// factsOf takes what the sandbox was asked for.
func factsOf(r *sandbox.Result) testFacts {
	var f testFacts

	for _, b := range r.Binds {
		f.binds = append(f.binds, hazard.Bind{Network: b.Network, Address: b.Address, Path: b.Path, ReusePort: b.ReusePort})
	}

	for _, w := range r.Writes {
		if w.Action == "chown" && w.Errno == "" {
			f.writes = append(f.writes, hazard.Write{
				Path: w.Path, Action: w.Action, Exists: w.Exists, OwnerUID: w.OwnerUID, OwnerGID: w.OwnerGID, UID: w.UID, GID: w.GID,
			})
		}
	}

	return f
}

// factsWithout takes what the files say, where there was no test.
func factsWithout(read *conf.Result) testFacts {
	var f testFacts

	for _, l := range read.Listens {
		f.binds = append(f.binds, hazard.Bind{
			Network: l.Network, Address: l.Address, Path: l.Path, ReusePort: l.ReusePort, Where: l.File + ":" + strconv.Itoa(l.Line),
		})
	}

	return f
}

// fillHazards tells what would endanger the host or hide from it.
func (m *Monitor) fillHazards(r *Report, i *instance.Instance, o *outcome, sockets *listener.Snapshot) {
	f := hazard.Facts{Running: i.Master != nil, Writes: o.facts.writes, Schedule: m.schedule()}

	if i.Build != nil {
		f.Program, f.Base = i.Build.Text, i.Build.Base
	}

	f.Binds = m.bindsOf(i, o.facts.binds)
	f.Listening, f.ListeningKnown = m.listening(i, sockets)

	if value, err := m.listeners.TCPMigrateReq(m.networkOf(i)); err == nil && value != nil {
		f.MigrateReq = new(*value == 1)
	}

	for _, h := range hazard.Find(f) {
		r.Hazards = append(r.Hazards, Hazard{
			ID: int(h.ID), Name: h.Name, Severity: int(h.Severity), SeverityName: h.Severity.String(), Sentence: h.Sentence, Where: h.Where,
		})
	}

	if len(r.Hazards) > 0 {
		r.Hazard, r.HazardName = r.Hazards[0].ID, r.Hazards[0].Name
		r.HazardSeverity, r.HazardSeverityName = r.Hazards[0].Severity, r.Hazards[0].SeverityName
	}
}

// bindsOf tells which of the unix sockets are there now.
func (m *Monitor) bindsOf(i *instance.Instance, binds []hazard.Bind) []hazard.Bind {
	all := slices.Clone(binds)
	isUnix := func(b hazard.Bind) bool { return b.Path != "" }

	if slices.ContainsFunc(all, isUnix) {
		// Of a master that has ended meanwhile there is none.
		_ = m.treeOf(i).Do(func() {
			for at := range all {
				var st unix.Stat_t
				all[at].Exists = isUnix(all[at]) && unix.Lstat(all[at].Path, &st) == nil
			}
		})
	}

	return all
}

// listening is who listens in the network of an instance. It is false where that is not known.
func (m *Monitor) listening(i *instance.Instance, sockets *listener.Snapshot) ([]hazard.Listener, bool) {
	if sockets == nil {
		return nil, false
	}

	all := make([]hazard.Listener, 0, len(sockets.Sockets))
	for at := range sockets.Sockets {
		s := &sockets.Sockets[at]
		all = append(all, hazard.Listener{Network: string(s.Network), Address: s.Address})
	}

	process := "self"
	if pid := m.networkOf(i); pid != 0 {
		process = strconv.Itoa(pid)
	}

	text, err := os.ReadFile(filepath.Join(m.options.ProcPath, process, "net/unix"))
	if err != nil {
		return all, false
	}

	paths, err := hazard.ParseUnixListeners(bytes.NewReader(text))

	return append(all, paths...), err == nil
}

// schedule is who tests on a schedule on this host, looked up now and then.
func (m *Monitor) schedule() hazard.Schedule {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.searchedAt.IsZero() || time.Since(m.searchedAt) >= searchedFor {
		search := func() { m.searched = hazard.Scheduled(m.options.Root) }
		if m.host.Do(search) != nil {
			// What this process sees of the host is better than nothing.
			search()
		}

		m.searchedAt = time.Now()
	}

	return m.searched
}
