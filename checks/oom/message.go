package oom

import (
	"strconv"
	"strings"
)

// The lines of the OOM killer (mm/oom_kill.c, mm/memcontrol.c) that name somebody, from 2.6.32 to 6.18.
const (
	invokedMark   = " invoked oom-killer: "
	summaryMark   = "oom-kill:constraint="
	limitMark     = "Task in "
	limitOfMark   = " killed as a result of limit of "
	groupMark     = "Tasks in "
	groupEndMark  = " are going to be killed due to memory.oom.group set"
	chosenMark    = "Kill process "
	killedMark    = "Killed process "
	cgroupMessage = "Memory cgroup out of memory"
	globalMessage = "Out of memory"
)

// maxName is more than a process name ever has.
const maxName = 64

// Constraint is what ran out of memory. The names are part of the payload.
type Constraint string

const (
	// ConstraintUnknown is a kill without the lines that tell.
	ConstraintUnknown Constraint = "unknown"
	// ConstraintGlobal is the whole machine.
	ConstraintGlobal Constraint = "global"
	// ConstraintCgroup is a memory cgroup at its limit.
	ConstraintCgroup Constraint = "cgroup"
	// ConstraintCpuset is the memory nodes that a cpuset allows.
	ConstraintCpuset Constraint = "cpuset"
	// ConstraintMempolicy is the memory nodes that a NUMA policy allows.
	ConstraintMempolicy Constraint = "mempolicy"
)

var constraints = map[string]Constraint{
	"CONSTRAINT_NONE":          ConstraintGlobal,
	"CONSTRAINT_MEMCG":         ConstraintCgroup,
	"CONSTRAINT_CPUSET":        ConstraintCpuset,
	"CONSTRAINT_MEMORY_POLICY": ConstraintMempolicy,
}

// parseInvoked reads "php-fpm invoked oom-killer: gfp_mask=...": who asked for the memory that was not there.
func parseInvoked(text string) (trigger string, ok bool) {
	trigger, _, ok = strings.Cut(text, invokedMark)

	return trigger, ok && len(trigger) <= maxName
}

// summary is the line "oom-kill:constraint=...,oom_memcg=...,task_memcg=...,task=...,pid=...,uid=..." of 5.0 and later.
type summary struct {
	constraint Constraint
	oomCgroup  string
	cgroup     string
	pid        int
	uid        *int
	complete   bool
}

// parseSummary reads from the right, since the name of a task and the path of a cgroup may hold commas.
func parseSummary(text string) (summary, bool) {
	rest, ok := strings.CutPrefix(text, summaryMark)
	if !ok {
		return summary{}, false
	}

	kind, _, _ := strings.Cut(rest, ",")
	s := summary{constraint: ConstraintUnknown}

	if known, ok := constraints[kind]; ok {
		s.constraint = known
	}

	rest, uid, complete := cutLast(rest, ",uid=")
	rest, pid, _ := cutLast(rest, ",pid=")
	rest = cutTask(rest)
	rest, s.cgroup, _ = cutLast(rest, ",task_memcg=")
	_, s.oomCgroup, _ = cutLast(rest, ",oom_memcg=")
	s.uid = number(uid)

	if n := number(pid); n != nil {
		s.pid = *n
	}

	s.complete = complete && s.uid != nil

	return s, true
}

// cutTask drops the name of the task, which a user chooses: it may hold the very mark, but never more than 15 bytes.
func cutTask(text string) string {
	const mark, longest = ",task=", 15

	start := max(0, len(text)-len(mark)-longest)
	if i := strings.Index(text[start:], mark); i >= 0 {
		return text[:start+i]
	}

	return text
}

// parseLimit reads "Task in /a/b killed as a result of limit of /a" of kernels before 5.0.
func parseLimit(text string) (cgroup, oomCgroup string, ok bool) {
	rest, ok := strings.CutPrefix(text, limitMark)
	if !ok {
		return "", "", false
	}

	cgroup, oomCgroup, ok = strings.Cut(rest, limitOfMark)

	return cgroup, strings.TrimSpace(oomCgroup), ok
}

// parseGroup reads "Tasks in /a are going to be killed due to memory.oom.group set".
func parseGroup(text string) (cgroup string, ok bool) {
	rest, ok := strings.CutPrefix(text, groupMark)
	if !ok {
		return "", false
	}

	return strings.CutSuffix(rest, groupEndMark)
}

// parseMessage finds "<message>: <mark>" or the bare mark at the start of a line. Nothing else may stand before it:
// other lines of the kernel hold text that a user chose.
func parseMessage(text, mark string) (c Constraint, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(text, mark); ok {
		return ConstraintUnknown, rest, true
	}

	message, rest, ok := strings.Cut(text, ": "+mark)

	switch {
	case !ok:
		return ConstraintUnknown, "", false
	case message == cgroupMessage:
		return ConstraintCgroup, rest, true
	case message == globalMessage, message == globalMessage+" (oom_kill_allocating_task)":
		return ConstraintGlobal, rest, true
	}

	return ConstraintUnknown, "", false
}

// unfinished says whether the rest of an OOM line may still follow in a further record.
func unfinished(text string) bool {
	if s, ok := parseSummary(text); ok {
		return !s.complete
	}

	_, oomCgroup, ok := parseLimit(text)

	return strings.HasPrefix(text, limitMark) && (!ok || oomCgroup == "")
}

func cutLast(text, mark string) (before, after string, found bool) {
	if i := strings.LastIndex(text, mark); i >= 0 {
		return text[:i], text[i+len(mark):], true
	}

	return text, "", false
}

// number reads the digits at the start, nil where there are none.
func number(text string) *int {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}

	if value, err := strconv.Atoi(text[:end]); err == nil {
		return &value
	}

	return nil
}
