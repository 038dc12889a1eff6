package oom

import (
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// maxVictims is how many victims are kept.
	maxVictims = 20
	// maxReport is the longest time between the first and the last line of one kill: a serial console is slow.
	maxReport = time.Minute
	// maxGap is the longest time between two kills of one group.
	maxGap = time.Second
	// maxRepeat is the time within which one process is not killed twice, but named twice (memory.oom.group).
	maxRepeat = 10 * time.Second
	// maxLine bounds a line that never comes to an end.
	maxLine = 8 << 10
)

// assembler makes victims of the lines of the kernel log. The kernel runs one OOM kill at a time, so that lines of two
// kills never mix, but other lines may stand between, and under a storm of kills it leaves out all but the last one.
type assembler struct {
	// announced is what the lines said whose kill has not come yet, nil where there are none.
	announced *announcement
	// last is what led to the last kill.
	last *announcement
	// group is set while the other members of a cgroup are killed with the last victim.
	group *announcement
	// open is the start of a line whose rest has not come yet.
	open string
	// victims are newest first, and kills counts them with those that are not kept any more.
	victims []Victim
	kills   int
}

// announcement is what is known of a kill before its victim is named.
type announcement struct {
	since   time.Duration
	trigger string
	summary summary
	// chosen is the pid that the summary speaks of, 0 where there was none.
	chosen int
}

func newAnnouncement(since time.Duration) *announcement {
	return &announcement{since: since, summary: summary{constraint: ConstraintUnknown}}
}

// add takes the next record. toWall turns the record's clock into the time of day.
func (a *assembler) add(r record, toWall func(time.Duration) time.Time) {
	if !r.byKernel {
		return
	}

	text := r.text
	if r.continues && a.open != "" {
		text, a.open = a.open+text, ""
	}

	if unfinished(text) && len(text) < maxLine {
		a.open = text
	}

	a.take(text, r.sinceBoot, toWall)
}

func (a *assembler) take(text string, now time.Duration, toWall func(time.Duration) time.Time) {
	if trigger, ok := parseInvoked(text); ok {
		a.announced, a.group = newAnnouncement(now), nil
		a.announced.trigger = trigger

		return
	}

	if s, ok := parseSummary(text); ok {
		about := a.about(now)
		about.summary, about.chosen = s, s.pid
		a.group = nil

		return
	}

	if cgroup, oomCgroup, ok := parseLimit(text); ok {
		about := a.about(now)
		about.summary.cgroup, about.summary.oomCgroup = cgroup, oomCgroup
		about.summary.constraint = ConstraintCgroup

		return
	}

	if cgroup, ok := parseGroup(text); ok {
		if a.last != nil {
			a.group = &announcement{since: now, trigger: a.last.trigger, summary: a.last.summary}
			a.group.summary.cgroup = cgroup
		}

		return
	}

	if constraint, _, ok := parseMessage(text, chosenMark); ok {
		if about := a.about(now); constraint != ConstraintUnknown {
			about.summary.constraint = constraint
		}

		return
	}

	if constraint, rest, ok := parseMessage(text, killedMark); ok {
		if v, ok := parseKilled(rest); ok {
			a.kill(v, constraint, now, toWall(now))
		}
	}
}

// about is the announcement that a line adds to, a new one where there is none or it is of an earlier kill.
func (a *assembler) about(now time.Duration) *announcement {
	if a.announced == nil || now-a.announced.since > maxReport {
		a.announced = newAnnouncement(now)
	}

	return a.announced
}

func (a *assembler) kill(v Victim, constraint Constraint, now time.Duration, at time.Time) {
	about := a.about(now)
	if a.announcesNothing() && a.group != nil && now-a.group.since <= maxGap {
		about, a.group.since = a.group, now
	}

	a.last, a.announced = about, nil
	v.at, v.At = now, seconds(at)
	v.explain(about, constraint)

	if slices.ContainsFunc(a.victims, v.repeats) {
		return
	}

	a.kills++
	a.victims = slices.Insert(a.victims, 0, v)
	a.victims = a.victims[:min(len(a.victims), maxVictims)]
}

// announcesNothing is so for a kill that came without any other line.
func (a *assembler) announcesNothing() bool {
	return *a.announced == *newAnnouncement(a.announced.since)
}

func (v *Victim) repeats(earlier Victim) bool {
	return v.PID == earlier.PID && v.Name == earlier.Name && v.at-earlier.at <= maxRepeat
}

// explain takes over what was announced, as far as it is about this victim: kernels before 5.3 may kill a child of the
// process that they chose, which can be another user's.
func (v *Victim) explain(about *announcement, constraint Constraint) {
	v.Trigger = procfile.Printable(about.trigger)
	v.Constraint = about.summary.constraint
	v.Cgroup, v.OOMCgroup = procfile.Printable(about.summary.cgroup), procfile.Printable(about.summary.oomCgroup)

	if v.UID == nil && about.chosen == v.PID {
		v.UID = about.summary.uid
	}

	if about.chosen != 0 && about.chosen != v.PID {
		v.Cgroup = ""
	}

	// The message decides: kernels 5.0 and 5.1 write CONSTRAINT_NONE for cgroups too.
	if constraint == ConstraintCgroup || v.OOMCgroup != "" {
		v.Constraint = ConstraintCgroup
	} else if constraint == ConstraintGlobal && v.Constraint == ConstraintUnknown {
		v.Constraint = ConstraintGlobal
	}
}
