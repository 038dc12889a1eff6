package cost_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/cost"
	"zabbix-agent2-plugin-hosting/templates/export"
)

var master = export.Item{Key: "m", History: "0", Trends: "0", ValueType: "TEXT"}

func dependent(item export.Item) export.Item {
	item.Type, item.Delay, item.MasterItem = "DEPENDENT", "0", export.Reference{Key: "m"}

	return item
}

func TestOf(t *testing.T) {
	t.Parallel()

	const minutes, day = 1440, 86400.0

	heartbeat := []export.Step{{Type: "JSONPATH"}, {Type: "DISCARD_UNCHANGED_HEARTBEAT", Parameters: []string{"1h"}}}

	tests := map[string]struct {
		template export.Template
		want     cost.Cost
	}{
		"a master item is asked for and not stored": {
			export.Template{Items: []export.Item{master}},
			cost.Cost{AskedPerSecond: minutes / day},
		},
		"a number costs history for its days and trends for a year": {
			export.Template{Items: []export.Item{{Key: "n", Delay: "10m", History: "7d"}}},
			cost.Cost{
				AskedPerSecond: minutes / 10 / day, StoredPerSecond: minutes / 10 / day,
				HistoryPerDay: 144 * 90, TrendsPerDay: 24 * 90, Kept: 7*144*90 + 365*24*90,
			},
		},
		"a dependent number comes as often as its master": {
			export.Template{Items: []export.Item{
				{Key: "m", Delay: "30s", History: "0"}, dependent(export.Item{Key: "n", History: "1d", Trends: "0", ValueType: "FLOAT"}),
			}},
			cost.Cost{AskedPerSecond: 1. / 30, StoredPerSecond: 1. / 30, HistoryPerDay: 2880 * 90, Kept: 2880 * 90},
		},
		"a text that does not change is stored once in its heartbeat": {
			export.Template{Items: []export.Item{master, dependent(export.Item{Key: "t", Trends: "0", ValueType: "TEXT", Preprocessing: heartbeat})}},
			cost.Cost{AskedPerSecond: minutes / day, StoredPerSecond: 24 / day, HistoryPerDay: 24 * 300, Kept: 31 * 24 * 300},
		},
		"a calculated number is asked of nobody": {
			export.Template{Items: []export.Item{{Key: "c", Type: "CALCULATED", Delay: "1h", History: "1w", Trends: "0"}}},
			cost.Cost{StoredPerSecond: 24 / day, HistoryPerDay: 24 * 90, Kept: 7 * 24 * 90},
		},
		"each discovered object costs its prototypes": {
			export.Template{DiscoveryRules: []export.DiscoveryRule{{
				Key: "hosting.site.discovery[x]", Delay: "10m",
				ItemPrototypes: []export.Item{master, dependent(export.Item{Key: "n", History: "1d", Trends: "0"})},
			}}},
			cost.Cost{
				AskedPerSecond: (minutes/10 + 2*minutes) / day, StoredPerSecond: 2 * minutes / day,
				HistoryPerDay: 2 * minutes * 90, Kept: 2 * minutes * 90,
			},
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := cost.Of(test.template)
			require.NoError(t, err)
			requireAlike(t, test.want, got)
		})
	}
}

// requireAlike allows for the order in which fractions were added.
func requireAlike(t *testing.T, want, got cost.Cost) {
	t.Helper()

	figures := func(c cost.Cost) []float64 {
		return []float64{c.AskedPerSecond, c.StoredPerSecond, c.HistoryPerDay, c.TrendsPerDay, c.Kept}
	}
	require.InDeltaSlice(t, figures(want), figures(got), 1e-6)
}

func TestOfRefusesWhatItCannotCount(t *testing.T) {
	t.Parallel()

	item := func(item export.Item) export.Template { return export.Template{Items: []export.Item{item}} }

	tests := map[string]struct {
		template export.Template
		want     string
	}{
		"a discovery of unknown size": {
			export.Template{DiscoveryRules: []export.DiscoveryRule{{Key: "hosting.user.discovery[x]"}}},
			"cannot tell the cost of discovery rule hosting.user.discovery[x]: say in templates/cost how many objects it finds",
		},
		"a discovery without an interval": {
			export.Template{DiscoveryRules: []export.DiscoveryRule{{Key: "hosting.site.discovery", Delay: "often"}}},
			`discovery rule hosting.site.discovery: cannot read the time "often": a number with s, m, h, d or w is needed`,
		},
		"an interval that is a macro": {
			item(export.Item{Key: "n", Delay: "{$EVERY}"}), `item n: cannot read the time "{$EVERY}": a number with s, m, h, d or w is needed`,
		},
		"an interval of nothing": {
			item(export.Item{Key: "n", Delay: "0"}), "item n: cannot tell how often it is updated: its delay is 0",
		},
		"a master item that is not there": {
			item(dependent(export.Item{Key: "n"})), `item n: cannot tell how often it is updated: there is no master item "m"`,
		},
		"a history of no time": {
			item(export.Item{Key: "n", History: "d"}), `item n: cannot read the time "d": a number with s, m, h, d or w is needed`,
		},
		"a heartbeat of no time": {
			item(export.Item{Key: "n", Preprocessing: []export.Step{{Type: "DISCARD_UNCHANGED_HEARTBEAT", Parameters: []string{""}}}}),
			`item n: cannot read the time "": a number with s, m, h, d or w is needed`,
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := cost.Of(test.template)
			require.EqualError(t, err, test.want)
		})
	}
}
