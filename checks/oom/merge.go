package oom

import (
	"cmp"
	"slices"
	"time"
)

const (
	// maxApart is the longest time between two sources' account of one kill, by the same clock.
	maxApart = 10 * time.Second
	// driftShare bounds how far the clock of the kernel log drifts from the other: one part in 10,000 of the time since boot.
	driftShare = 10_000
)

// merge makes one victim of what two sources tell of it, and returns the last ones, newest first. The log's words win, as it knows more; but its
// clock drifts, and under a storm of kills it leaves out much. A number is not given twice to victims in so short a time.
func merge(traced, logged []Victim, uptime time.Duration) []Victim {
	near := maxApart + uptime/driftShare
	all := append([]Victim{}, logged...)
	told := make([]bool, len(logged))

	for _, v := range traced {
		at := slices.IndexFunc(logged, func(l Victim) bool { return l.PID == v.PID && (l.at-v.at).Abs() <= near })
		if at < 0 || told[at] {
			all = append(all, v)

			continue
		}

		told[at] = true
		all[at].complete(v)
	}

	slices.SortStableFunc(all, func(a, b Victim) int { return cmp.Compare(b.at, a.at) })

	return all[:min(len(all), maxVictims)]
}

// complete takes over what the tracepoint knows and the log has left out.
func (v *Victim) complete(traced Victim) {
	v.at, v.At, v.TriggerPID = traced.at, traced.At, traced.TriggerPID
	v.Trigger, v.Cgroup, v.Name = cmp.Or(v.Trigger, traced.Trigger), cmp.Or(v.Cgroup, traced.Cgroup), cmp.Or(v.Name, traced.Name)
	v.UID, v.OOMScoreAdj = cmp.Or(v.UID, traced.UID), cmp.Or(v.OOMScoreAdj, traced.OOMScoreAdj)

	if v.RSSBytes == nil {
		v.RSSBytes, v.AnonRSSBytes, v.FileRSSBytes, v.ShmemRSSBytes = traced.RSSBytes, traced.AnonRSSBytes, traced.FileRSSBytes, traced.ShmemRSSBytes
	}

	v.TotalVMBytes, v.PageTablesBytes = cmp.Or(v.TotalVMBytes, traced.TotalVMBytes), cmp.Or(v.PageTablesBytes, traced.PageTablesBytes)
}
