package table

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/unit"
)

func killedNginx() unit.Facts {
	return unit.Facts{
		Unit: "nginx.service", LoadState: "loaded", ActiveState: unit.StateFailed, ActiveStateName: "failed", SubState: "failed",
		Result: new(unit.ResultOOMKill), ResultName: "oom-kill", Restarts: new(uint64(0)), ChangedAt: new(int64(946684700)),
	}
}

// at is a time as a person here sees it.
func at(unix int64) string { return time.Unix(unix, 0).Format(time.DateTime) }

func TestUnitsAreShownBelowTheVictims(t *testing.T) {
	t.Parallel()

	kills := &oom.Report{Kills: new(uint64(2)), BootAt: 946598400, VictimsKnown: true}
	head := "OOM kills since " + at(946598400) + ": 2\nno victim is known\n"

	tests := map[string]struct {
		units *unit.Report
		want  string
	}{
		"no systemd":          {nil, ""},
		"no unit that counts": {&unit.Report{Units: []unit.Fate{}}, ""},
		"systemd is silent":   {&unit.Report{UnitsError: "cannot ask systemd: no\x1b answer"}, "\nnote: cannot ask systemd: no? answer\n"},
		"the agent, nginx and what is gone": {
			&unit.Report{
				AgentUnit: &unit.Fate{Facts: unit.Facts{
					Unit: "zabbix-agent2.service", LoadState: "loaded", ActiveStateName: "active", SubState: "running",
					ResultName: "success", Restarts: new(uint64(3)), MemoryCurrentBytes: new(uint64(24 << 20)),
				}, OOMKills: new(0)},
				Units: []unit.Fate{
					{Facts: killedNginx(), OOMKills: new(1), LastOOMAt: new(946684700.0)},
					{Facts: unit.Facts{Unit: "old.service", LoadState: "not-found"}},
				},
				UnitsOmitted: 5,
			},
			"\n" +
				"unit                   state             result    restarts    memory  OOM kills  last one at\n" +
				"zabbix-agent2.service  active (running)  success          3  24.0 MiB          0\n" +
				"nginx.service          failed (failed)   oom-kill         0         -          1  " + at(946684700) + "\n" +
				"old.service            not-found                          -         -          -\n" +
				"and 5 failed units more; see systemctl --failed\n",
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, head+test.want, OOM(kills, nil, test.units))
		})
	}
}

func TestAnNginxIsShownWithItsUnit(t *testing.T) {
	t.Parallel()

	require.Equal(t, ""+
		"edge  /usr/sbin/nginx, not running\n"+
		"  state  valid\n"+
		"  test\n"+
		"  unit   nginx.service failed (failed) since "+at(946684700)+", result oom-kill, 0 restarts\n",
		Nginx(&nginx.Report{Instance: "edge", Binary: "/usr/sbin/nginx", StateName: "valid", UnitState: new(killedNginx())}))
}
