package keys

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/testenv/systembus"
)

// fixedUnits stands for a systemd where time is fake: nginx was stopped by the OOM killer, the agent started again after it.
type fixedUnits struct{}

func (fixedUnits) OfProcess(context.Context, int) (string, error) {
	return "zabbix-agent2.service", nil
}

func (fixedUnits) Facts(_ context.Context, names ...string) ([]unit.Facts, error) {
	all := make([]unit.Facts, len(names))
	for i, name := range names {
		all[i] = factsOf(name, unit.StateActive, unit.ResultSuccess, 3)
		all[i].SubState, all[i].MainPID, all[i].MemoryCurrentBytes = "running", 713, new(uint64(25165824))
	}

	return all, nil
}

func (fixedUnits) Killed(context.Context) (unit.Killed, error) {
	nginx := factsOf("nginx.service", unit.StateFailed, unit.ResultOOMKill, 0)
	nginx.SubState, nginx.ChangedAt = "failed", new(int64(946684700))

	return unit.Killed{Units: []unit.Facts{nginx}}, nil
}

func (fixedUnits) Close() {}

func factsOf(name string, state unit.ActiveState, result unit.Result, restarts uint64) unit.Facts {
	return unit.Facts{
		Unit: name, LoadState: "loaded", ActiveState: state, ActiveStateName: state.String(), UnitFileState: "enabled",
		Result: &result, ResultName: result.String(), Restarts: &restarts,
		ActiveAt: new(int64(946598400)), ChangedAt: new(int64(946598400)), InvocationID: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
	}
}

// unitsOf is the value of hosting.oom.get on a fixture host whose process is in the units of a systemd.
func unitsOf(t *testing.T, units unitReader) map[string]any {
	t.Helper()

	host := newFixtureHost(t)
	host.become("after")

	checks := NewChecks(host.options, fixedProcess{agent.Status{Link: agent.LinkStatus{PID: os.Getpid()}}}, "")
	checks.units = units

	text, err := checks.Evaluate(context.Background(), "hosting.oom.get", nil)
	require.NoError(t, err)

	var value map[string]any

	require.NoError(t, json.Unmarshal([]byte(text), &value))
	require.InDelta(t, 2, value["kills"], 0)

	delete(value, "boot_at")
	delete(value, "victims")
	delete(value, "last_victim")

	return value
}

func names(units any) []string {
	var all []string
	for _, u := range units.([]any) {
		all = append(all, u.(map[string]any)["unit"].(string))
	}

	return all
}

// unitsAtLast asks anew where a machine that is busy with other tests did not let systemd answer in time.
func unitsAtLast(t *testing.T, bus *systembus.Bus) (value map[string]any) {
	t.Helper()

	for deadline := time.Now().Add(30 * time.Second); ; {
		r := unit.NewReader(unit.Options{RunDir: bus.Dir(), BusPath: bus.Socket()})
		value = unitsOf(t, r)
		r.Close()

		if why := value["units_error"]; why == nil || why == "" {
			return value
		}

		require.True(t, time.Now().Before(deadline), value["units_error"])
	}
}

func TestTheUnitsOfAHost(t *testing.T) {
	t.Parallel()

	bus := systembus.StartT(t)
	s := bus.SystemdT(t)

	s.Put(os.Getpid(), "zabbix-agent2.service")
	s.Set("zabbix-agent2.service", systembus.Running(os.Getpid()))

	value := unitsAtLast(t, bus)
	require.Equal(t, "zabbix-agent2.service", value["agent_unit"].(map[string]any)["unit"])
	require.InDelta(t, 0, value["agent_unit"].(map[string]any)["oom_kills"], 0)
	require.Equal(t, []any{}, value["units"])
	require.InDelta(t, 0, value["units_oom_killed"], 0)

	for _, name := range []string{"php8.2-fpm.service", "backup.service", "zabbix-agent2.service"} {
		s.Set(name, systembus.Running(0))
		s.Set(name, systembus.OOMKilled())
	}

	value = unitsAtLast(t, bus)
	require.Equal(t, []string{"backup.service", "php8.2-fpm.service"}, names(value["units"]), "the agent's own is not told twice")
	require.InDelta(t, 3, value["units_oom_killed"], 0)

	backup, php := value["units"].([]any)[0].(map[string]any), value["units"].([]any)[1].(map[string]any)
	require.InDelta(t, 0, backup["oom_kills"], 0)
	require.NotContains(t, backup, "last_oom_at")
	require.InDelta(t, 1, php["oom_kills"], 0)
	require.Contains(t, php, "last_oom_at")
}

func TestUnitsThatCannotBeToldAreNoFailure(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "socket")
	require.NoError(t, os.WriteFile(file, nil, 0o644))

	none := filepath.Join(t.TempDir(), "none")

	value := unitsOf(t, unit.NewReader(unit.Options{RunDir: none, BusPath: none}))

	source := value["sources"].([]any)[0].(map[string]any)
	require.Contains(t, source, "since", "the log does not begin with its first record")
	delete(source, "since")
	require.Equal(t, []any{map[string]any{"source": 2.0, "source_name": "kernel_log", "used": true}}, value["sources"])
	require.Equal(t, "php8.2-fpm.service", value["cgroups"].(map[string]any)["units"].([]any)[0].(map[string]any)["name"], "of two with one kill each")
	delete(value, "sources")
	delete(value, "cgroups")
	require.Equal(t, map[string]any{"schema": 1.0, "kills": 2.0, "victims_known": true}, value, "no systemd")

	value = unitsOf(t, unit.NewReader(unit.Options{RunDir: filepath.Dir(file), BusPath: file}))
	require.NotContains(t, value, "units")
	require.NotContains(t, value, "units_oom_killed", "what is not known is not none")
	require.NotContains(t, value, "agent_unit")
	require.Equal(t, "cannot ask systemd: dial unix "+file+": connect: connection refused; "+
		"look at `systemctl status dbus`, it is asked again after 30s", value["units_error"])
}

func TestVictimsThatNobodyKnowsAreNotCounted(t *testing.T) {
	t.Parallel()

	fate := unit.Fate{Facts: unit.Facts{Unit: "nginx.service"}}
	addVictims(&fate, &oom.Report{Victims: []oom.Victim{}})
	require.Nil(t, fate.OOMKills)

	addVictims(&fate, &oom.Report{VictimsKnown: true, Victims: []oom.Victim{
		{At: 30, AgeS: 5, Cgroup: "/system.slice/nginx.service"}, {At: 20, AgeS: 15, Cgroup: "/system.slice/nginx.service/worker"},
		{At: 40, Cgroup: "/system.slice/mynginx.service"}, {At: 50},
	}})
	require.Equal(t, unit.Fate{Facts: unit.Facts{Unit: "nginx.service"}, OOMKills: new(2), LastOOMAt: new(30.0), LastOOMAgeS: new(5.0)}, fate)
}
