package oom

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAVictimThatTwoSourcesTellOfIsOne(t *testing.T) {
	t.Parallel()

	traced := Victim{
		at: 100 * time.Second, At: 1100, Name: "php-fpm8.2", PID: 7, UID: new(33), Constraint: ConstraintUnknown, Cgroup: "/php.service", TotalVMBytes: kb(9),
		RSSBytes: kb(6), AnonRSSBytes: kb(3), FileRSSBytes: kb(2), ShmemRSSBytes: kb(1), PageTablesBytes: kb(4), OOMScoreAdj: new(-17),
		Trigger: "php-fpm8.2", TriggerPID: 8,
	}
	bare := Victim{at: 101 * time.Second, At: 1101, Name: "php", PID: 7, Constraint: ConstraintCgroup}
	completed := traced
	completed.Name, completed.Constraint = "php", ConstraintCgroup

	rich := bare
	rich.UID, rich.Cgroup, rich.OOMCgroup, rich.Trigger, rich.OOMScoreAdj = new(1), "/a", "/b", "nginx", new(0)
	rich.RSSBytes, rich.AnonRSSBytes, rich.TotalVMBytes, rich.PageTablesBytes = kb(60), kb(60), kb(70), kb(5)
	kept := rich
	kept.at, kept.At, kept.TriggerPID = traced.at, traced.At, 8

	other := Victim{at: 50 * time.Second, PID: 9}
	late := Victim{at: 200 * time.Second, PID: 7}

	for name, c := range map[string]struct {
		traced, logged []Victim
		uptime         time.Duration
		want           []Victim
	}{
		"what the log leaves out is completed":           {[]Victim{traced}, []Victim{bare}, 0, []Victim{completed}},
		"what the log says is kept":                      {[]Victim{traced}, []Victim{rich}, 0, []Victim{kept}},
		"others are others":                              {[]Victim{traced}, []Victim{other}, 0, []Victim{traced, other}},
		"a number may be used again":                     {[]Victim{traced}, []Victim{late}, 0, []Victim{late, traced}},
		"the clock of the log drifts in a year":          {[]Victim{traced}, []Victim{{at: 20 * time.Minute, PID: 7, Name: "php", Constraint: ConstraintCgroup}}, 365 * 24 * time.Hour, []Victim{completed}},
		"one line is not for two":                        {[]Victim{{at: 101 * time.Second, PID: 7}, traced}, []Victim{bare}, 0, []Victim{{at: 101 * time.Second, PID: 7, Name: "php", Constraint: ConstraintCgroup}, traced}},
		"only the log":                                   {nil, []Victim{rich, other}, 0, []Victim{rich, other}},
		"nothing":                                        {nil, nil, 0, []Victim{}},
		"the last ones, whoever tells of them, are kept": {many(0, 30), many(30, 15), 0, many(0, maxVictims)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, c.want, merge(c.traced, c.logged, c.uptime))
		})
	}
}

// many are victims, newest first, that were killed a minute after each other; from says how many are newer.
func many(from, n int) (all []Victim) {
	for i := range n {
		all = append(all, Victim{at: time.Duration(1000-from-i) * time.Minute, PID: 1000 - from - i})
	}

	return all
}

func TestSourcesHaveStableNumbers(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{1: "tracepoint", 2: "kernel_log", 3: "journal"}, Sources())
	require.Equal(t, "source_9", Source(9).String())
}
