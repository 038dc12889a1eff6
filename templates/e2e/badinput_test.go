//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// problems are the names of a host's problems, in order.
func problems(t *testing.T, s *zabbixserver.Server, id string) []string {
	t.Helper()
	all, err := s.API().Problems(id)
	require.NoError(t, err)
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.Name
	}
	slices.Sort(names)
	return names
}

// awaitProblems waits until a host has these problems and no others.
func awaitProblems(t *testing.T, s *zabbixserver.Server, id string, want ...string) {
	t.Helper()
	slices.Sort(want)
	await(t, patience, func() string {
		if have := problems(t, s, id); !slices.Equal(want, have) {
			return fmt.Sprintf("the host has the problems %q instead of %q", have, want)
		}
		return ""
	})
}

// awaitValue waits until an item has a value.
func awaitValue(t *testing.T, s *zabbixserver.Server, id, key string) {
	t.Helper()
	_, _, err := s.API().WaitItems(id, patience, time.Time{}, key)
	require.NoError(t, err)
}

// The silences that a host tells after 15 s.
var impatient = map[string]string{
	"{$PLUGIN.NODATA}": silentFor, "{$KMEM.NODATA.MEMORY}": silentFor, "{$SITE.NODATA.PLUGIN}": silentFor, "{$NGINX.WATCH.NODATA}": silentFor,
	"{$SITE.NODATA}": silentLonger, "{$NGINX.NODATA}": silentLonger,
}

func TestAgentsThatGiveTooLittle(t *testing.T) {
	eachVersionUnlessShort(t, func(t *testing.T, s *zabbixserver.Server) {
		const older, unreachable, removed = "older plugin", "unreachable", "site removed"
		all := newAgentHosts(t, s, map[string]map[string]string{older: {"{$KMEM.NODATA.CHECK}": silentFor}, unreachable: impatient, removed: nil},
			map[string][]string{older: {oomKey, "hosting.listener.get", "hosting.nginx.discovery", "hosting.nginx.config[/etc/nginx/nginx.conf]"}})
		for _, host := range all {
			awaitValue(t, s, host.id, `site.requests["shop"]`)
		}
		t.Run("an older plugin lacks keys, and the rest goes on", func(t *testing.T) { testOlderPlugin(t, s, all[older]) })
		t.Run("an agent cannot be reached, and nothing but that is told", func(t *testing.T) { testUnreachable(t, s, all[unreachable]) })
		t.Run("a site that is removed alarms nobody", func(t *testing.T) { testRemovedSite(t, s, all[removed]) })
	})
}

// notRequested is the problem of all these hosts: their agents' counters stand still.
const notRequested = "Hosting test site: shop: Is not requested (for 15m)"

// momentary is who takes connections in the golden value of a site.
const momentary = "process nginx (4711: nginx -t), started by sh (4710) by zabbix_agentd (600), listened on 0.0.0.0:443 for 0.5 ms beside nginx (master 812)"

func testOlderPlugin(t *testing.T, s *zabbixserver.Server, host *agentOfHost) {
	t.Parallel()
	const noKills = "Linux kernel memory: No data about OOM kills (for 15s)"
	awaitProblems(t, s, host.id, notRequested, noKills)
	item, err := s.API().Item(host.id, oomKey)
	require.NoError(t, err)
	require.Equal(t, "Unknown metric hosting.oom.get", item.Error)

	host.answer(t, "hosting.site.get[shop]", change{siteKey, "reasons.reset_before_response", 9})
	awaitProblems(t, s, host.id, "Hosting test site: shop: Connections reset before the response (over 0 in 15m): "+momentary+"; now *UNKNOWN*", notRequested, noKills)
}

func testUnreachable(t *testing.T, s *zabbixserver.Server, host *agentOfHost) {
	t.Parallel()
	awaitValue(t, s, host.id, `nginx.state["/etc/nginx/nginx.conf"]`)
	awaitProblems(t, s, host.id, notRequested)
	require.NoError(t, host.Vanish())
	// One for each template: sites and instances do not tell each for itself.
	silent := []string{
		notRequested, "Hosting plugin: No data (for 15s)", "Hosting test site: No data from the plugin (for 15s)",
		"Linux kernel memory: No data about kernel memory (for 15s)", "Nginx configuration: No data about who listens (for 15s)",
	}
	awaitProblems(t, s, host.id, silent...)
	time.Sleep(time.Minute)
	require.ElementsMatch(t, silent, problems(t, s, host.id))
	require.NoError(t, host.Appear())
	awaitProblems(t, s, host.id, notRequested)
}

func testRemovedSite(t *testing.T, s *zabbixserver.Server, host *agentOfHost) {
	t.Parallel()
	host.Set("hosting.site.discovery", "[]")
	host.SetUnsupported("hosting.site.get[shop]", `Cannot find the site "shop".`)
	if s.Version() == zabbixserver.V60 {
		shortenLifetime(t, s, host.id)
	}
	await(t, patience, func() string {
		items, err := s.API().Items(host.id)
		require.NoError(t, err)
		for _, item := range items {
			if item.Discovered && item.Enabled && strings.Contains(item.Key, "shop") {
				return item.Key + " is still wanted"
			}
		}
		return ""
	})
	triggers, err := s.API().Triggers(host.id)
	require.NoError(t, err)
	for _, trigger := range triggers {
		require.False(t, trigger.Enabled && strings.Contains(trigger.Name, ": shop: "), trigger.Name)
	}
}

// shortenLifetime has a server 6.0 delete at once what it would delete an hour after it was lost: it cannot disable it.
func shortenLifetime(t *testing.T, s *zabbixserver.Server, hostID string) {
	t.Helper()
	var rules []struct{ ItemID, Lifetime string }
	require.NoError(t, s.API().Call("discoveryrule.get", map[string]any{"hostids": hostID, "filter": map[string]any{"key_": "hosting.site.discovery"}}, &rules))
	require.Len(t, rules, 1)
	require.Equal(t, "1h", rules[0].Lifetime)
	require.NoError(t, s.API().Call("discoveryrule.update", map[string]any{"itemid": rules[0].ItemID, "lifetime": "0"}, nil))
}

func TestSitesWithoutSteadyCounters(t *testing.T) {
	eachVersionUnlessShort(t, func(t *testing.T, s *zabbixserver.Server) {
		unasked := scenario{trigger: "Is not requested", clock: server, good: []change{
			{siteKey, "requests", 0}, {siteKey, "ok", 0}, {siteKey, "failed", 0}, {siteKey, "not_tested", 0}, {siteKey, "windows", map[string]any{}},
		}}
		restarted := scenario{trigger: "Is down", clock: server, good: []change{
			{siteKey, "started_at", since{before: 946680000, after: 946690000}},
			{siteKey, "requests", since{before: line{from: 1000, well: 12}, after: line{ill: 12}}},
			{siteKey, "ok", since{before: line{from: 1000, well: 12}, after: line{ill: 12}}},
			{siteKey, "failed", since{before: 8, after: 0}},
			{siteKey, "reasons.reset_before_response", since{before: 8, after: 0}},
		}}
		g := newStage(s)
		g.add(t, siteFile, map[string]scenario{"unasked": unasked, "restarted": restarted}, "", pushed(s.Version()))
		g.begin(t)
		for _, p := range g.players {
			require.NoError(t, p.err)
		}
		t.Run("no requests are no availability instead of none", func(t *testing.T) {
			p := g.players["unasked"]
			awaitProblems(t, s, p.id, "Hosting test site: shop: Is not requested (for 15m)")
			requireValues(t, s, p.id, `site.answered.5m["shop"]`, 0, 0)
			item, err := s.API().Item(p.id, `site.availability.5m["shop"]`)
			require.NoError(t, err)
			require.Empty(t, item.Error)
			require.Zero(t, item.LastAt, item.LastValue)
		})
		t.Run("a restart of the plugin is no outage", func(t *testing.T) {
			p := g.players["restarted"]
			requireValues(t, s, p.id, `site.ok.new["shop"]`, 12, 12)
			requireValues(t, s, p.id, `site.failed.new["shop"]`, 0, 0)
			requireValues(t, s, p.id, `site.availability.5m["shop"]`, 100, 100)
			require.Empty(t, problems(t, s, p.id))
		})
	})
}

// requireValues waits until an item has values and checks that all are in a range.
func requireValues(t *testing.T, s *zabbixserver.Server, id, key string, from, to float64) {
	t.Helper()
	awaitValue(t, s, id, key)
	item, err := s.API().Item(id, key)
	require.NoError(t, err)
	history, err := s.API().History(item, 1000)
	require.NoError(t, err)
	require.NotEmpty(t, history)
	for _, one := range history {
		value, err := strconv.ParseFloat(one.Value, 64)
		require.NoError(t, err)
		require.True(t, from <= value && value <= to, "%s was %s at %s", key, one.Value, one.At)
	}
}
