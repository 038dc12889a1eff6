package watch

import (
	"time"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

// Coverage is how well one network is watched.
type Coverage struct {
	State     State  `json:"state"`
	StateName string `json:"state_name"`
	// Reason says why it is not watched better and what mends it; empty where it cannot be better.
	Reason string `json:"reason,omitempty"`
	// BlindS is how long, in seconds, a socket can be open without being seen; 0 where none is missed.
	BlindS float64 `json:"blind_s"`
}

func coverage(s State, reason string, blind time.Duration) Coverage {
	return Coverage{State: s, StateName: s.String(), Reason: reason, BlindS: blind.Seconds()}
}

// openProbe has the kernel tell of what it can tell of.
func (w *Watcher) openProbe() {
	reason := ""

	switch {
	case w.options.PollOnly:
		reason = "programs in the kernel are switched off"
	case !seesHost(w.options.ProcPath):
		reason = "this process cannot see the host's processes, by whose numbers the kernel names who listens; " +
			"start it in the host's PID namespace, or give it the host's /proc"
	default:
		open, err := probe.Open(w.ringSize)
		if err == nil {
			w.probe = open
			w.tcp = coverage(StateWatching, "", 0)
			w.watchUDP()

			return
		}

		reason = err.Error()
	}

	w.poll(reason)
}

func (w *Watcher) poll(reason string) {
	w.tcp = coverage(StatePolling, reason, w.options.Interval)
	w.udp = w.tcp
}

// watchUDP takes the means that needs the fewest rights first.
func (w *Watcher) watchUDP() {
	err := w.probe.WatchUDP(probe.AtFunctions())
	if err != nil {
		other := errContainer
		if seesAllCgroups(w.options.ProcPath) {
			other = w.probe.WatchUDP(probe.BelowCgroup(cgroup.Unified(w.options.SysPath)))
		}

		if other != nil {
			w.udp = coverage(StatePolling, err.Error()+"; "+other.Error(), w.options.Interval)

			return
		}
	}

	w.udp = coverage(StateWatching, "", 0)
}
