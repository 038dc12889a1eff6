package oom

import "zabbix-agent2-plugin-hosting/checks/enum"

// Source is where victims are known from. The numbers are stable.
type Source int

// The sources, the best first. The journal is asked only where neither of the others can be.
const (
	// SourceTracepoint is the kernel itself, asked at each kill.
	SourceTracepoint Source = 1
	// SourceKernelLog is /dev/kmsg.
	SourceKernelLog Source = 2
	// SourceJournal is what systemd has kept of the kernel log since boot.
	SourceJournal Source = 3
)

var sourceNames = enum.Of[Source]("source", "", "tracepoint", "kernel_log", "journal")

// String is the name in payloads, such as "kernel_log".
func (s Source) String() string { return sourceNames.Name(s) }

// Sources returns every source's name by its number.
func Sources() map[int]string { return sourceNames.All() }

// SourceState is how a source was used for a report.
type SourceState struct {
	Source     Source `json:"source"`
	SourceName string `json:"source_name"`
	Used       bool   `json:"used"`
	// Error is why it was not used, and what mends it.
	Error string `json:"error,omitempty"`
	// Since is the Unix time from which on it tells of all victims, where that is not the boot.
	Since *float64 `json:"since,omitempty"`
	// Lost is how many kills it has not told of since then, for too many came at once.
	Lost uint64 `json:"lost,omitempty"`
}

func stateOf(source Source, err error) SourceState {
	s := SourceState{Source: source, SourceName: source.String(), Used: err == nil}
	if err != nil {
		s.Error = err.Error()
	}

	return s
}
