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
		t.startTrace()
	}

	before := t.lines.kills
	err := t.follow(now)

	if t.options.Watch {
		var state SourceState

		traced, state = t.traced(t.lines.kills != before)
		sources = append(sources, state)
	}

	logged := stateOf(SourceKernelLog, err)
	if logged.Used {
		logged.Since = t.logSince
	}

	sources = append(sources, logged)

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

// startTrace starts the watch once: what is refused stays refused.
func (t *Tracker) startTrace() {
	if t.trace == nil && t.traceErr == nil {
		t.trace, t.traceErr = startTrace(t.options.SysPath, t.now)
	}
}

// traced are the victims of which the kernel told. It waits for its word on those that the log has just named, which was given before.
func (t *Tracker) traced(wait bool) ([]Victim, SourceState) {
	if t.traceErr != nil {
		return nil, stateOf(SourceTracepoint, t.traceErr)
	}

	if wait {
		t.trace.settle()
	}

	return t.trace.get()
}

func (t *Tracker) followJournal(now instant) error {
	return t.journal.Read(func(e journal.Entry) {
		t.lines.add(record{sinceBoot: e.SinceBoot, byKernel: e.ByKernel, text: e.Text}, now.toWall)
	})
}
