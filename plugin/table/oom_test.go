package table

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/oomunit"
)

func TestOOMKillsAreShownWithTheirSourcesAndUnits(t *testing.T) {
	t.Parallel()

	at := func(unix int64) string { return time.Unix(unix, 0).Format(time.DateTime) }
	report := &oom.Report{
		Kills: new(uint64(7)), BootAt: 946598400, VictimsKnown: true,
		Sources: []oom.SourceState{
			{Source: oom.SourceTracepoint, SourceName: "tracepoint", Used: true, Since: new(946600000.0), Lost: 2},
			{Source: oom.SourceKernelLog, SourceName: "kernel_log", Used: true, Since: new(946610000.0)},
		},
		Victims: []oom.Victim{
			{At: 946684700, Name: "nginx", PID: 812, RSSBytes: new(uint64(48 << 20)), Constraint: oom.ConstraintCgroup, Cgroup: "/a.service", Trigger: "php", TriggerPID: 7},
			{At: 946684600, Name: "php", PID: 8, Constraint: oom.ConstraintUnknown},
		},
	}
	killed := &oomunit.Report{Reading: cgroup.Reading{Incomplete: true}, UnitsOmitted: 3, Units: []oomunit.Unit{
		{Name: "a.service", Cgroup: "/a.service", Kills: 4, AtLimit: new(uint64(2))},
		{Name: "system.slice", Cgroup: "/system.slice", Ended: true, Kills: 1},
	}}

	require.Equal(t, "OOM kills since "+at(946598400)+": 7\n"+
		"victims are known from the tracepoint since "+at(946600000)+", which lost 2 and the kernel log since "+at(946610000)+"\n\n"+
		"killed at            process  pid       RSS  limit    cgroup      triggered by\n"+
		at(946684700)+"  nginx    812  48.0 MiB  cgroup   /a.service  php (7)\n"+
		at(946684600)+"  php        8         -  unknown\n"+
		"the last 2 of 7 are shown\n\n"+
		"killed in                       kills  at its limit  cgroup\n"+
		"a.service                           4             2  /a.service\n"+
		"what has ended in system.slice      1             -  /system.slice\n"+
		"and 3 units more\n"+
		"note: there are more cgroups than were looked at\n", OOM(report, killed, nil))

	report.Kills = new(uint64(2))
	require.NotContains(t, OOM(report, nil, nil), "shown")

	report.Kills = new(uint64(7))
	report.Victims, report.Sources = nil, []oom.SourceState{
		{Source: oom.SourceTracepoint, SourceName: "tracepoint", Error: "cannot watch"}, {Source: oom.SourceJournal, SourceName: "journal", Used: true},
	}
	require.Equal(t, "OOM kills since "+at(946598400)+": 7\nvictims are known from the journal\nnote: cannot watch\nno victim is known\n", OOM(report, nil, nil))

	report.VictimsKnown, report.VictimsError, report.Kills = false, "no helper; and cannot read it", nil
	report.Sources[1] = oom.SourceState{Source: oom.SourceJournal, SourceName: "journal", Error: "cannot read it"}
	require.Equal(t, "OOM kills since "+at(946598400)+": not counted by this kernel\nnote: no helper; and cannot read it\nnote: cannot watch\n", OOM(report, &oomunit.Report{}, nil))
}
