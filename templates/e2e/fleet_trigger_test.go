//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// Windows of the fleet's triggers that are counted in real time are short here.
var quickFleet = map[string]string{"{$FLEET.FOR}": "20s", "{$FLEET.NODATA}": "10m", "{$FLEET.AVAILABILITY.RECOVERY}": "3s", "{$FLEET.SILENT.PCT.MAX.WARN}": "10"}

// fleetStage is what hosts say next, and what becomes of the fleet's problems.
type fleetStage struct {
	name string
	// ok and failed are requests of the last minute, failedBefore some of half an hour ago.
	ok, failed, failedBefore int
	// bad are the hosts whose helper cannot be used and whose nginx would not load its configuration. The first talking hosts have a value now.
	bad, talking int
	// problems are the events that are going on then, with their operational data. That of the hour may be there as well while that of the 5 minutes is:
	// it depends on which of the two items was calculated first.
	problems map[string]string
	orHour   bool
}

const hourIsLow = "Hosting fleet: Availability over 1h is low (under 98%)"

func TestTheTriggersOfAFleetGoToProblemAndBack(t *testing.T) {
	const hosts = 5
	stages := []fleetStage{
		{
			name: "all is well but for three hosts that never said anything", ok: 10000, talking: 2,
			problems: map[string]string{"Hosting fleet: Many hosts give no data (over 10% of them for 10m)": "Hosts without data: 60 %"},
		},
		// A fifth of the hosts, but only one.
		{name: "two of them talk", ok: 10000, talking: 4, problems: map[string]string{}},
		{
			name: "a fifth of all requests fails, and three hosts are broken", failed: 5000, failedBefore: 5000, bad: 3, talking: hosts, orHour: true,
			problems: map[string]string{
				"Hosting fleet: Availability over 5m is very low (under 90%)":                       "Availability: 80 %, requests: 25000",
				"Hosting fleet: Many helpers cannot be used (at least 3 for 20s)":                   "Helpers: 3",
				"Hosting fleet: Many nginx would not load their configuration (at least 3 for 20s)": "Instances: 3",
			},
		},
		{
			name: "it gets better", ok: 75000, talking: hosts, orHour: true,
			problems: map[string]string{"Hosting fleet: Availability over 5m is low (under 98%)": "Availability: 95 %, requests: 100000"},
		},
		{
			name: "the last 5 minutes are well again, the hour is not", ok: 200000, talking: hosts,
			problems: map[string]string{hourIsLow: "Availability: 96.7213 %, requests: 305000"},
		},
		{name: "the hour is, too", ok: 1000000, talking: hosts, problems: map[string]string{}},
	}
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		importSimulated(t, s, "shop")
		for i := range hosts {
			_, err := s.API().CreateHost(zabbixapi.Host{Name: hostNamed(i), Groups: []string{fleetGroup}, Templates: []string{simulatedName}})
			require.NoError(t, err)
		}
		fleet := createFleet(t, s, "Fleet", quickFleet)
		lost := createFleet(t, s, "Lost", map[string]string{"{$FLEET.GROUP}": "No such group", "{$FLEET.NODATA}": "5s"})
		require.NoError(t, s.Sync())
		for _, stage := range stages {
			t.Run(stage.name, func(t *testing.T) {
				stage.push(t, s)
				started := time.Now()
				awaitFleetProblems(t, s, fleet, stage.problems, stage.orHour)
				t.Logf("as it should be %.1f s after the values", time.Since(started).Seconds())
			})
		}
		t.Run("a group without hosts", func(t *testing.T) {
			awaitFleetProblems(t, s, lost, map[string]string{"Hosting fleet: Group has no hosts: No such group": ""}, false)
			require.NoError(t, s.API().SetMacro(lost, "{$FLEET.NODATA}", "10m"))
			require.NoError(t, s.API().SetMacro(lost, "{$FLEET.GROUP}", fleetGroup))
			awaitFleetProblems(t, s, lost, map[string]string{}, false)
		})
	})
}

// push pushes what the hosts say, the requests from the first.
func (st fleetStage) push(t *testing.T, s *zabbixserver.Server) {
	t.Helper()
	now := time.Now()
	values := []trapper.Value{
		{Host: hostNamed(0), Key: `site.ok.new["shop"]`, Value: fmt.Sprint(st.ok), At: now},
		{Host: hostNamed(0), Key: `site.failed.new["shop"]`, Value: fmt.Sprint(st.failed), At: now},
		{Host: hostNamed(0), Key: `site.failed.new["shop"]`, Value: fmt.Sprint(st.failedBefore), At: now.Add(-30 * time.Minute)},
	}
	for i := range st.talking {
		values = append(values,
			trapper.Value{Host: hostNamed(i), Key: "plugin.uptime", Value: "1", At: now},
			trapper.Value{Host: hostNamed(i), Key: "plugin.helper.unusable", Value: fmt.Sprint(flag(i < st.bad)), At: now},
			trapper.Value{Host: hostNamed(i), Key: `nginx.rejected["shop"]`, Value: fmt.Sprint(flag(i < st.bad)), At: now},
		)
	}
	require.NoError(t, s.Push(values...))
}

// awaitFleetProblems waits until a host has these problems and no others, or only that of the hour, by name with operational data.
func awaitFleetProblems(t *testing.T, s *zabbixserver.Server, hostID string, want map[string]string, orHour bool) {
	t.Helper()
	await(t, patience, func() string {
		found, err := s.API().Problems(hostID)
		require.NoError(t, err)
		got := map[string]string{}
		for _, problem := range found {
			if !orHour || problem.Name != hourIsLow {
				got[problem.Name] = problem.OpData
			}
		}
		if fmt.Sprint(got) == fmt.Sprint(want) {
			return ""
		}
		return fmt.Sprintf("the problems are %v instead of %v", got, want)
	})
}
