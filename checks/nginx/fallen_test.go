package nginx

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/systembus"
)

// serviceOf runs an nginx as nginx.service of a systemd, and watches both.
func serviceOf(t *testing.T, configured ...instance.Configured) (*nginx.Nginx, *systembus.Systemd, *Monitor) {
	t.Helper()

	n := nginx.StartT(t, nginx.Options{})
	bus := systembus.StartT(t)
	s := bus.SystemdT(t)
	s.Put(n.PID(), "nginx.service")
	s.Set("nginx.service", systembus.Running(n.PID()))

	for at := range configured {
		configured[at].Binary, configured[at].Config, configured[at].Prefix = n.Program(), n.ConfPath(), n.Dir()
	}

	m := newMonitor(t, configured...)
	reader := unit.NewReader(unit.Options{RunDir: bus.Dir(), BusPath: bus.Socket()})
	t.Cleanup(reader.Close)
	m.options.Units = reader

	return n, s, m
}

// now is the report as it is at this moment.
func now(t *testing.T, m *Monitor, name string) (*Report, error) {
	t.Helper()

	m.mu.Lock()
	m.found = nil
	m.mu.Unlock()

	return m.Report(context.Background(), name)
}

func runningUnit(pid int) *unit.Facts {
	return &unit.Facts{
		Unit: "nginx.service", LoadState: "loaded", ActiveStateName: "active", SubState: "running", UnitFileState: "enabled",
		Result: new(unit.ResultSuccess), ResultName: "success", MainPID: uint32(pid), Restarts: new(uint64(0)),
		ActiveAt: new(int64(1795484843)), ChangedAt: new(int64(1795484843)), InvocationID: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
	}
}

func killedUnit() *unit.Facts {
	f := runningUnit(0)
	f.ActiveState, f.ActiveStateName, f.SubState = unit.StateFailed, "failed", "failed"
	f.Result, f.ResultName, f.ChangedAt = new(unit.ResultOOMKill), "oom-kill", new(int64(1795485843))

	return f
}

func TestAnInstanceThatTheOOMKillerEndedIsStillReported(t *testing.T) {
	t.Parallel()

	n, s, m := serviceOf(t)

	r, err := now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.Equal(t, runningUnit(n.PID()), r.UnitState)

	pid := n.PID()

	require.NoError(t, n.Halt())
	s.Set("nginx.service", systembus.OOMKilled())

	r, err = now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.Nil(t, r.Master)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, killedUnit(), r.UnitState)

	rows, err := m.Discover(context.Background())
	require.NoError(t, err)
	require.Contains(t, rows, Discovered{Instance: n.ConfPath(), Config: n.ConfPath(), Binary: n.Program(), Product: "nginx/1.22.1", Trusted: "1", Container: "0"})

	names, err := m.UnitNames(context.Background())
	require.NoError(t, err)
	require.Contains(t, names, "nginx.service")

	require.NoError(t, n.Start())
	require.NotEqual(t, pid, n.PID())
	s.Put(n.PID(), "nginx.service")
	s.Set("nginx.service", systembus.Running(n.PID()))

	r, err = now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.Equal(t, n.PID(), r.Master.PID)
	require.Equal(t, runningUnit(n.PID()), r.UnitState)
}

// Who stops nginx, or takes it off the host, does not want to hear of it any more.
func TestAnInstanceThatWasStoppedIsForgotten(t *testing.T) {
	t.Parallel()

	stopped := systembus.Properties{"Unit.ActiveState": "inactive", "Unit.SubState": "dead", "Service.MainPID": uint32(0)}

	for name, end := range map[string]func(*systembus.Systemd){
		"it was stopped": func(s *systembus.Systemd) { s.Set("nginx.service", stopped) },
		"it was removed": func(s *systembus.Systemd) { s.Forget("nginx.service") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			n, s, m := serviceOf(t)

			_, err := now(t, m, n.ConfPath())
			require.NoError(t, err)
			require.NoError(t, n.Halt())
			end(s)

			_, err = now(t, m, n.ConfPath())
			require.ErrorIs(t, err, ErrUnknownInstance)
		})
	}
}

func TestAConfiguredInstanceKeepsItsUnit(t *testing.T) {
	t.Parallel()

	n, s, m := serviceOf(t, instance.Configured{Name: "edge"})

	r, err := now(t, m, "edge")
	require.NoError(t, err)
	require.Equal(t, runningUnit(n.PID()), r.UnitState)
	require.NoError(t, n.Halt())
	s.Set("nginx.service", systembus.OOMKilled())

	r, err = now(t, m, "edge")
	require.NoError(t, err)
	require.Nil(t, r.Master)
	require.Equal(t, killedUnit(), r.UnitState)
}

func TestAnInstanceInNoUnitHasNoState(t *testing.T) {
	t.Parallel()

	n, _, m := serviceOf(t)
	other := nginx.StartT(t, nginx.Options{})

	r, err := now(t, m, other.ConfPath())
	require.NoError(t, err)
	require.Nil(t, r.UnitState)

	r, err = now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.NotNil(t, r.UnitState)
}

func TestASystemdThatHangsIsAProblemAndNoFailure(t *testing.T) {
	t.Parallel()

	n, s, m := serviceOf(t)

	r, err := now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	s.Hang()

	began := time.Now()
	r, err = now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.Less(t, time.Since(began), 2*time.Second)
	require.Nil(t, r.UnitState)
	require.Equal(t, []string{
		"cannot ask systemd: no answer within 300ms; look at `systemctl status dbus`, it is asked again after 30s",
	}, r.Problems)
}

func TestWithoutSystemdNothingIsMissed(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)
	m.options.Units = unit.NewReader(unit.Options{RunDir: n.Dir() + "/none", BusPath: n.Dir() + "/none"})

	r, err := now(t, m, n.ConfPath())
	require.NoError(t, err)
	require.Nil(t, r.UnitState)
	require.Empty(t, r.Problems)
	require.NoError(t, n.Halt())

	_, err = now(t, m, n.ConfPath())
	require.ErrorIs(t, err, ErrUnknownInstance)
}
