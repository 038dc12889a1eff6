//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

const (
	fleetSize  = 50
	fleetGroup = "Hosting servers"
	// silentHosts of a fleet say nothing, that is 10 %.
	silentHosts = 5
	// smallRequests are what each site of an ordinary host answers in one value, and largeFactor how many times as many the large host's do.
	smallRequests, largeFactor = 100, 10
	// smallHost and largeHost fail all requests to their first site.
	smallHost, largeHost = 48, 49
)

// sitesOf are the test sites of each simulated host.
var sitesOf = []string{"shop", "blog"}

// counts are what became of requests.
type counts struct{ ok, failed int }

func (c counts) add(other counts) counts { return counts{c.ok + other.ok, c.failed + other.failed} }

func (c counts) availability() float64 { return 100 * float64(c.ok) / float64(c.ok+c.failed) }

func hostNamed(i int) string { return fmt.Sprintf("web%02d", i) }

// answered is what became of the requests to one site of a host in one value: a little fails everywhere.
func answered(host, site int) counts {
	requests := smallRequests
	if host == largeHost {
		requests *= largeFactor
	}
	switch {
	case site == 0 && (host == smallHost || host == largeHost):
		return counts{0, requests}
	default:
		failed := host % 5
		return counts{requests - failed, failed}
	}
}

// answeredBy is what became of the requests to all sites of a host in one value.
func answeredBy(host int) counts { return answered(host, 0).add(answered(host, 1)) }

func TestAFleetIsWhatItsHostsAreWeightedByRequests(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		importSimulated(t, s, sitesOf...)
		for i := range fleetSize {
			_, err := s.API().CreateHost(zabbixapi.Host{Name: hostNamed(i), Groups: []string{fleetGroup}, Templates: []string{simulatedName}})
			require.NoError(t, err)
		}
		_, err := s.API().CreateHost(zabbixapi.Host{Name: "elsewhere", Groups: []string{"Others"}, Templates: []string{simulatedName}})
		require.NoError(t, err)
		fleet := createFleet(t, s, "Fleet", nil)
		require.NoError(t, s.Sync())
		require.Zero(t, lastValue(t, s, fleet, "fleet.nginx.rejected"), "an item without values has one, or an error")

		now := time.Now()
		pushFleet(t, s, now)
		var whole, sum counts
		var percentages float64
		for i := range fleetSize - silentHosts {
			one := answeredBy(i + silentHosts)
			whole, percentages = whole.add(one), percentages+one.availability()
		}
		sum = whole.add(whole)
		require.Greater(t, percentages/(fleetSize-silentHosts)-whole.availability(), 5.0, "these hosts do not tell a weighted mean from one of percentages")

		want := map[string]float64{
			"fleet.availability.5m": whole.availability(), "fleet.availability.1h": sum.availability(),
			"fleet.answered.5m": float64(whole.ok + whole.failed), "fleet.answered.1h": float64(2 * (whole.ok + whole.failed)),
			"fleet.availability.1d": sum.add(counts{0, 7}).availability(),
			"fleet.hosts":           fleetSize, "fleet.hosts.silent": silentHosts, "fleet.hosts.silent.pct": 10,
			"fleet.sites": 2 * fleetSize, "fleet.sites.silent": 2 * silentHosts, "fleet.sites.down": 2,
			"fleet.site.availability.5m": 0, "fleet.host.availability.1h": answeredBy(smallHost).availability(),
			"fleet.nginx": 2 * fleetSize, "fleet.nginx.rejected": 4, "fleet.helpers.unusable": 3, "fleet.nginx.foreigners": 1,
			"fleet.sunreclaim": (fleetSize - silentHosts) * (1 << 30), "fleet.sunreclaim.pct": 33,
			"fleet.resets.5m": 9, "fleet.oom.1h": 2, "fleet.p90.5m": 2.5,
		}
		started := time.Now()
		await(t, 2*patience, func() string { return differing(want, lastValues(t, s, fleet)) })
		t.Logf("the whole hosting was computed %.1f s after the last of %d hosts' values: %.2f %%, where the mean of percentages is %.2f %%",
			time.Since(started).Seconds(), fleetSize, whole.availability(), percentages/(fleetSize-silentHosts))
		require.Empty(t, s.FrontendErrors())
	})
}

// lastValue is an item's last value as a number, 0 where it has none.
func lastValue(t *testing.T, s *zabbixserver.Server, hostID, key string) float64 {
	t.Helper()
	text, found := lastValues(t, s, hostID)[key]
	if !found {
		return 0
	}
	value, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return value
}

// differing tells which values are not those that are wanted. An item with a value that is not wanted is one, too.
func differing(want map[string]float64, got map[string]string) string {
	var missing []string
	for key, value := range want {
		number, err := strconv.ParseFloat(got[key], 64)
		if err != nil || math.Abs(number-value) > 1e-3 {
			missing = append(missing, fmt.Sprintf("%s is %q, not %g", key, got[key], value))
		}
	}
	for key, value := range got {
		if _, found := want[key]; !found {
			missing = append(missing, fmt.Sprintf("%s is %s, and nobody said what it should be", key, value))
		}
	}
	return strings.Join(missing, "\n")
}

// pushFleet pushes the values of all hosts but the silent ones, which gave some until 20 minutes ago, and of a host of another group. What was answered in the last 5
// minutes was answered once more half an hour ago, and 7 requests failed two hours ago.
func pushFleet(t *testing.T, s *zabbixserver.Server, now time.Time) {
	t.Helper()
	var values []trapper.Value
	add := func(host, key string, ago time.Duration, value any) {
		values = append(values, trapper.Value{Host: host, Key: key, Value: fmt.Sprint(value), At: now.Add(-ago)})
	}
	const recently = time.Minute
	add(hostNamed(10), `site.failed.new["shop"]`, 2*time.Hour, 7)
	for i := range fleetSize {
		host, ago := hostNamed(i), recently
		if i < silentHosts {
			add(host, "plugin.uptime", 20*time.Minute, 100)
			add(host, `site.requests["shop"]`, 20*time.Minute, 100)
			continue
		}
		for n, site := range sitesOf {
			one := answered(i, n)
			for _, ago := range []time.Duration{30 * time.Minute, recently} {
				add(host, `site.ok.new["`+site+`"]`, ago, one.ok)
				add(host, `site.failed.new["`+site+`"]`, ago, one.failed)
			}
			add(host, `site.requests["`+site+`"]`, ago, 1000)
			add(host, `site.down["`+site+`"]`, ago, flag(one.ok == 0))
			add(host, `site.resets.new["`+site+`"]`, ago, flag(i >= 41)*(1-n))
			add(host, `site.total.p90.5m["`+site+`"]`, ago, 0.5+2*float64(flag(i == 20)))
			// Each nginx has the name of a site here.
			add(host, `nginx.state["`+site+`"]`, ago, flag(i < silentHosts+2)*2)
			add(host, `nginx.rejected["`+site+`"]`, ago, flag(i < silentHosts+2))
			add(host, `nginx.foreigners["`+site+`"]`, ago, flag(i == 30)*n)
		}
		add(host, "plugin.uptime", ago, 1000+i)
		add(host, "plugin.helper.unusable", ago, flag(i >= 20 && i < 23))
		add(host, "kmem.sunreclaim", ago, 1<<30)
		add(host, "kmem.sunreclaim.pct", ago, 1+32*flag(i == 33))
		add(host, "kmem.oom.kills.new", 30*time.Minute, 2*flag(i == 44))
	}
	add("elsewhere", `site.failed.new["shop"]`, recently, 1e6)
	add("elsewhere", "plugin.uptime", recently, 1)
	require.NoError(t, s.Push(values...))
}

func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}
