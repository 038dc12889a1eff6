//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

func TestEveryTriggerGoesToProblemAndBack(t *testing.T) {
	eachVersionUnlessShort(t, func(t *testing.T, s *zabbixserver.Server) {
		g := newStage(s)
		for name, table := range tables {
			g.add(t, name, table, "", pushed(s.Version()))
			g.add(t, name, oneOfEachClock(table), ", by the template for active checks", active(s.Version()))
		}
		g.add(t, siteFile, ahead(siteScenarios, 2*time.Minute, "seven requests in a row fail"), " while the host's clock is 2 minutes fast", pushed(s.Version()))
		g.add(t, siteFile, ahead(siteScenarios, -2*time.Minute, "seven requests in a row fail", "most requests of 5 minutes fail"),
			" while the host's clock is 2 minutes slow", pushed(s.Version()))
		g.play(t)
		g.require(t)
	})
}

// oneOfEachClock is a part of a table that has triggers of each kind that is there: the forms for active checks have the same triggers as the others.
func oneOfEachClock(table map[string]scenario) map[string]scenario {
	part, found := map[string]scenario{}, map[clock]bool{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if c := table[name]; !found[c.clock] {
			part[name], found[c.clock] = c, true
		}
	}
	return part
}

// ahead are some scenarios of a table on a host with another clock.
func ahead(table map[string]scenario, by time.Duration, names ...string) map[string]scenario {
	part := map[string]scenario{}
	for _, name := range names {
		c := table[name]
		c.ahead = by
		part[name] = c
	}
	return part
}
