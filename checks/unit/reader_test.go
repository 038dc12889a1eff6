package unit

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/systembus"
)

const invocation = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// on asks the systemd of a bus.
func on(t testing.TB, b *systembus.Bus) *Reader {
	t.Helper()

	r := NewReader(Options{RunDir: b.Dir(), BusPath: b.Socket()})
	t.Cleanup(r.Close)

	return r
}

// withNginx asks a systemd in which nginx.service runs.
func withNginx(t testing.TB) (*systembus.Bus, *systembus.Systemd, *Reader) {
	t.Helper()

	bus := systembus.StartT(t)
	s := bus.SystemdT(t)
	s.Set("nginx.service", systembus.Running(44))

	return bus, s, on(t, bus)
}

// with is properties with some of them changed.
func with(all, changes systembus.Properties) systembus.Properties {
	all = maps.Clone(all)
	maps.Copy(all, changes)

	return all
}

func running() Facts {
	return Facts{
		Unit: "nginx.service", LoadState: "loaded", ActiveState: StateActive, ActiveStateName: "active", SubState: "running",
		UnitFileState: "enabled", Result: new(ResultSuccess), ResultName: "success", MainPID: 44, Restarts: new(uint64(0)),
		ActiveAt: new(int64(1795484843)), ChangedAt: new(int64(1795484843)), InvocationID: invocation,
	}
}

func TestFactsOfUnits(t *testing.T) {
	t.Parallel()

	changed := func(change func(*Facts)) Facts {
		f := running()
		change(&f)

		return f
	}

	tests := map[string]struct {
		name       string
		properties systembus.Properties
		want       Facts
	}{
		"a service whose memory is not counted": {"nginx.service", systembus.Running(44), running()},
		"a service whose memory is counted": {
			"nginx.service", with(systembus.Running(284), systembus.Properties{"Service.MemoryCurrent": uint64(6455296)}),
			changed(func(f *Facts) { f.MainPID, f.MemoryCurrentBytes = 284, new(uint64(6455296)) }),
		},
		"a service that the OOM killer ended": {
			"nginx.service", with(systembus.Running(44), systembus.OOMKilled()),
			changed(func(f *Facts) {
				f.ActiveState, f.ActiveStateName, f.SubState = StateFailed, "failed", "failed"
				f.Result, f.ResultName, f.MainPID, f.ChangedAt = new(ResultOOMKill), "oom-kill", 0, new(int64(1795485843))
			}),
		},
		"a service that waits for its next start": {
			"nginx.service", with(systembus.Running(0), systembus.Properties{
				"Unit.ActiveState": "activating", "Unit.SubState": "auto-restart", "Service.Result": "signal", "Service.NRestarts": uint32(6),
			}),
			changed(func(f *Facts) {
				f.ActiveState, f.ActiveStateName, f.SubState = StateActivating, "activating", "auto-restart"
				f.Result, f.ResultName, f.MainPID, f.Restarts = new(ResultSignal), "signal", 0, new(uint64(6))
			}),
		},
		"a service that does not exist": {"nosuch.service", nil, Facts{
			Unit: "nosuch.service", LoadState: "not-found", ActiveState: StateInactive, ActiveStateName: "inactive", SubState: "dead",
			Result: new(ResultSuccess), ResultName: "success", Restarts: new(uint64(0)),
		}},
		"a name that D-Bus escapes": {"getty@tty1-x.service", with(systembus.Running(44), nil), changed(func(f *Facts) { f.Unit = "getty@tty1-x.service" })},
		"a scope of a container": {
			"docker-0123.scope", systembus.Properties{
				"Unit.LoadState": "loaded", "Unit.ActiveState": "active", "Unit.SubState": "running", "Unit.UnitFileState": "transient",
				"Unit.ActiveEnterTimestamp": uint64(1795484843123456), "Unit.StateChangeTimestamp": uint64(1795484843123456), "Unit.InvocationID": []byte{1, 2},
				"Scope.Result": "success", "Scope.MemoryCurrent": uint64(4096),
			},
			Facts{
				Unit: "docker-0123.scope", LoadState: "loaded", ActiveStateName: "active", SubState: "running", UnitFileState: "transient",
				Result: new(ResultSuccess), ResultName: "success", MemoryCurrentBytes: new(uint64(4096)),
				ActiveAt: new(int64(1795484843)), ChangedAt: new(int64(1795484843)), InvocationID: "0102",
			},
		},
		"a slice, which does not run": {
			"system.slice", systembus.Properties{"Unit.LoadState": "loaded", "Unit.ActiveState": "active", "Unit.SubState": "active"},
			Facts{Unit: "system.slice", LoadState: "loaded", ActiveStateName: "active", SubState: "active"},
		},
		"an old systemd that does not count restarts": {
			"nginx.service", systembus.Properties{
				"Unit.LoadState": "loaded", "Unit.ActiveState": "active", "Unit.SubState": "running", "Service.MainPID": uint32(44), "Service.Result": "success",
			},
			Facts{
				Unit: "nginx.service", LoadState: "loaded", ActiveStateName: "active", SubState: "running", MainPID: 44,
				Result: new(ResultSuccess), ResultName: "success",
			},
		},
		"words of a later systemd": {
			"nginx.service", with(systembus.Running(44), systembus.Properties{"Unit.ActiveState": "hibernating", "Service.Result": "meteorite"}),
			changed(func(f *Facts) {
				f.ActiveState, f.ActiveStateName, f.Result, f.ResultName = StateOther, "other", new(ResultOther), "other"
			}),
		},
	}

	bus := systembus.StartT(t)
	s := bus.SystemdT(t)
	r := on(t, bus)

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.properties != nil {
				s.Set(test.name, test.properties)
			}

			got, err := r.Facts(context.Background(), test.name)
			require.NoError(t, err)
			require.Equal(t, []Facts{test.want}, got)
		})

		s.Forget(test.name)
	}
}

func TestAValueOfAnotherTypeIsNoFact(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		property string
		value    any
		want     string
	}{
		"a number for a word":     {"Unit.ActiveState", uint32(1), "cannot read ActiveState of nginx.service: its type is u, which"},
		"a word for a number":     {"Service.MainPID", "44", "cannot read MainPID of nginx.service: its type is s, which"},
		"a small number":          {"Service.MemoryCurrent", uint32(1), "cannot read MemoryCurrent of nginx.service: its type is u, which"},
		"a word for bytes":        {"Unit.InvocationID", "00ff", "cannot read InvocationID of nginx.service: its type is s, which"},
		"a structure for a word":  {"Service.Result", struct{ A, B string }{"a", "b"}, "cannot read Result of nginx.service: its type is (ss), which"},
		"a negative time, signed": {"Unit.ActiveEnterTimestamp", int64(-1), "cannot read ActiveEnterTimestamp of nginx.service: its type is x, which"},
	}

	bus := systembus.StartT(t)
	s := bus.SystemdT(t)

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s.Set("nginx.service", with(systembus.Running(44), systembus.Properties{test.property: test.value}))

			_, err := on(t, bus).Facts(context.Background(), "nginx.service")
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "; ")
		})
	}
}

func TestTheUnitOfAProcess(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)

	s.Put(812, "nginx@edge-1.service")
	s.Put(0, "zabbix-agent2.service")

	for pid, want := range map[int]string{812: "nginx@edge-1.service", 0: "zabbix-agent2.service", 4711: ""} {
		got, err := r.OfProcess(context.Background(), pid)
		require.NoError(t, err)
		require.Equal(t, want, got, "process %d", pid)
	}
}

func TestUnitsThatTheOOMKillerStopped(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)

	s.Set("data.mount", systembus.Properties{"Unit.ActiveState": "failed"})
	s.Set("backup.service", with(systembus.Running(44), systembus.Properties{"Unit.ActiveState": "failed", "Service.Result": "exit-code"}))

	found, err := r.Killed(context.Background())
	require.NoError(t, err)
	require.Equal(t, Killed{Units: []Facts{}}, found)

	for i := range maxFailed + 3 {
		s.Set(fmt.Sprintf("worker@%03d.service", i), with(systembus.Running(44), systembus.OOMKilled()))
	}

	found, err = r.Killed(context.Background())
	require.NoError(t, err)
	require.Len(t, found.Units, maxKilled)
	require.Equal(t, maxFailed+3-maxKilled, found.Omitted)
	require.Equal(t, "worker@000.service", found.Units[0].Unit)
	require.Equal(t, "oom-kill", found.Units[0].ResultName)
}

func TestOnlyWhatIsNeededIsAskedFor(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)

	_, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(t, err)
	require.Equal(t, map[string]int{
		"Unit.LoadState": 1, "Unit.ActiveState": 1, "Unit.SubState": 1, "Unit.UnitFileState": 1, "Unit.ActiveEnterTimestamp": 1,
		"Unit.StateChangeTimestamp": 1, "Unit.InvocationID": 1,
		"Service.Result": 1, "Service.MainPID": 1, "Service.NRestarts": 1, "Service.MemoryCurrent": 1,
	}, s.Asked())
}

func TestWithoutSystemdThereIsNothingToAsk(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	require.NoError(t, os.WriteFile(socket, nil, 0o644))

	for name, options := range map[string]Options{
		"another init": {RunDir: filepath.Join(dir, "none"), BusPath: socket},
		"no bus":       {RunDir: dir, BusPath: filepath.Join(dir, "none")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := NewReader(options).Facts(context.Background(), "nginx.service")
			require.ErrorIs(t, err, ErrNoSystemd)
		})
	}
}

func TestACallerThatLeavesIsNotTheBusesFault(t *testing.T) {
	t.Parallel()

	_, s, r := withNginx(t)

	s.Hang()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()

	_, err := r.Facts(ctx, "nginx.service")
	require.EqualError(t, err, "cannot wait for systemd: context deadline exceeded")

	s.Answer()

	got, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(t, err)
	require.Equal(t, []Facts{running()}, got)
}

func TestEnumsKeepTheirNumbers(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{
		0: "active", 1: "reloading", 2: "inactive", 3: "failed", 4: "activating", 5: "deactivating", 6: "maintenance", 7: "refreshing", 8: "other",
	}, ActiveStates())
	require.Equal(t, map[int]string{
		0: "success", 1: "exit-code", 2: "signal", 3: "core-dump", 4: "watchdog", 5: "timeout", 6: "oom-kill", 7: "resources", 8: "protocol",
		9: "start-limit-hit", 10: "exec-condition", 11: "other",
	}, Results())
}
