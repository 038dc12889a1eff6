package oom

import (
	"errors"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/oom/journal"
)

// victims asks the sources.
func (t *Tracker) victims(now instant) ([]Victim, []SourceState) {
	var (
		traced  []Victim
		sources []SourceState
	)

	if t.options.Watch {
		var state SourceState

		traced, state = t.traced()
		sources = append(sources, state)
	}

	err := t.follow(now)
	sources = append(sources, stateOf(SourceKernelLog, err))

	none := !slices.ContainsFunc(sources, func(s SourceState) bool { return s.Used })
	if none && t.options.KmsgPath == kernelLogPath && !errors.Is(err, errBehind) {
		sources = append(sources, stateOf(SourceJournal, t.followJournal(now)))
	}

	return merge(traced, t.lines.victims, now.monotonic), sources
}

// verdict tells whether any source could be used, or else why none could.
func verdict(sources []SourceState) (known bool, problem string) {
	var problems []string

	for _, s := range sources {
		if s.Used {
			return true, ""
		}

		problems = append(problems, s.Error)
	}

	return false, strings.Join(problems, "; and ")
}

// traced starts the watch once: what is refused stays refused.
func (t *Tracker) traced() ([]Victim, SourceState) {
	if t.trace == nil && t.traceErr == nil {
		t.trace, t.traceErr = startTrace(t.options.SysPath, t.now)
	}

	if t.traceErr != nil {
		return nil, stateOf(SourceTracepoint, t.traceErr)
	}

	return t.trace.get()
}

func (t *Tracker) followJournal(now instant) error {
	return t.journal.Read(func(e journal.Entry) {
		t.lines.add(record{sinceBoot: e.SinceBoot, byKernel: e.ByKernel, text: e.Text}, now.toWall)
	})
}
