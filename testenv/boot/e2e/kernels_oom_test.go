//go:build kernels

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/oomunit"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/plugin/keys"
)

const (
	oomKey = "hosting.oom.get"

	// tail keeps the whole of a line, and this one has no end.
	glutton = "tail"
	// diner is ended by systemd when its glutton is killed, host is not.
	dinerUnit    = "diner.service"
	dinerProgram = "[Service]\nExecStart=/usr/bin/tail /dev/zero\nMemoryMax=20M\nMemorySwapMax=0\n"
	hostUnit     = "dinner-host.service"
	hostProgram  = "[Service]\nExecStart=/bin/sh -c '/usr/bin/tail /dev/zero; exec sleep infinity'\nMemoryMax=20M\nMemorySwapMax=0\nOOMPolicy=continue\n"
)

// requireKilled has two services run out of memory, and wants the agent to name the victims, their units and how these ended.
func requireKilled(t *testing.T) {
	t.Helper()

	before := ask(t, oomKey, func(r *keys.OOMReport) bool { return r.Kills != nil && r.VictimsKnown })
	require.True(t, slices.ContainsFunc(before.Sources, func(s oom.SourceState) bool { return s.Source == oom.SourceTracepoint && s.Used }), before.Sources)
	require.Zero(t, *before.Kills)

	for i, one := range []struct{ unit, program string }{{dinerUnit, dinerProgram}, {hostUnit, hostProgram}} {
		require.NoError(t, os.WriteFile("/etc/systemd/system/"+one.unit, []byte(one.program), 0o644))
		run(t, "systemctl", "daemon-reload")
		run(t, "systemctl", "start", "--no-block", one.unit)

		killed := ask(t, oomKey, func(r *keys.OOMReport) bool { return *r.Kills > uint64(i) && len(r.Victims) > i })
		require.Equal(t, uint64(i+1), *killed.Kills)
		require.Len(t, killed.Victims, i+1)

		victim := killed.Victims[0]
		require.Equal(t, glutton, victim.Name)
		require.Equal(t, "/system.slice/"+one.unit, victim.Cgroup)
		require.Equal(t, "/system.slice/"+one.unit, victim.OOMCgroup)
		require.Equal(t, oom.ConstraintCgroup, victim.Constraint)
		require.Greater(t, *victim.AnonRSSBytes, uint64(10<<20))
		require.Equal(t, glutton, victim.Trigger)
		t.Logf("victim %s (%d) of %s", victim.Name, victim.PID, victim.Cgroup)
	}

	requireUnits(t)
}

// requireUnits wants the agent to tell which unit systemd ended, and in which units the kernel counted. systemd has 300 ms to answer, which is little in
// an emulated machine, and is asked again each 30 s.
func requireUnits(t *testing.T) {
	t.Helper()

	told := askFor(t, 5*slow, oomKey, func(r *keys.OOMReport) bool {
		return r.Units != nil && r.UnitsError == "" && r.Cgroups != nil && len(r.Cgroups.Units) == 2
	})
	// systemd says oom-kill of that one only which it ended.
	require.Equal(t, 1, *told.UnitsOOMKilled)

	at := slices.IndexFunc(told.Units.Units, func(f unit.Fate) bool { return f.Unit == dinerUnit })
	require.GreaterOrEqual(t, at, 0, told.Units.Units)

	ended := told.Units.Units[at]
	require.True(t, ended.StoppedByOOM())
	require.Equal(t, unit.StateFailed, ended.ActiveState)
	require.Equal(t, 1, *ended.OOMKills)
	require.Positive(t, *ended.LastOOMAt)
	t.Logf("%s: %s, result %s", ended.Unit, ended.ActiveStateName, ended.ResultName)

	// The kernel may try more than once to find memory.
	require.Positive(t, *told.Cgroups.Units[0].AtLimit)
	told.Cgroups.Units[0].AtLimit = nil

	require.Equal(t, []oomunit.Unit{
		{Name: hostUnit, Cgroup: "/system.slice/" + hostUnit, Kills: 1, GroupKills: new(uint64(0))},
		{Name: "system.slice", Cgroup: "/system.slice", Ended: true, Kills: 1},
	}, told.Cgroups.Units)
}

// requireLimited wants the kernel to hold the helper to what its unit says.
func requireLimited(t *testing.T) {
	t.Helper()

	pid := mainPID(t)

	for path, want := range map[string]string{
		"/sys/fs/cgroup/system.slice/zabbix-hosting-helper.service/memory.max": fmt.Sprint(4 << 30),
		"/sys/fs/cgroup/system.slice/zabbix-hosting-helper.service/pids.max":   "128",
		filepath.Join("/proc", pid, "oom_score_adj"):                           "500",
	} {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, strings.TrimSpace(string(content)), path)
	}
}

// mainPID is the helper's, which must run.
func mainPID(t *testing.T) string {
	t.Helper()
	pid := output(t, "systemctl", "show", "--property=MainPID", "--value", helperService)
	require.NotEqual(t, "0", pid)

	return pid
}

// output is what a command of this machine prints, which must succeed.
func output(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	printed, err := exec.Command(name, arguments...).Output()
	require.NoError(t, err)

	return strings.TrimSpace(string(printed))
}
