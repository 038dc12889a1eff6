// Package cost computes what a template costs the Zabbix server for each host: values per second and bytes of the database.
package cost

import (
	"fmt"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// What one row of a history or trends table takes with its index. Zabbix's own figure for a number is 90 bytes; a text takes what a number
// takes and its length, for which the mean of our texts is rounded up.
const (
	NumberBytes = 90
	TextBytes   = 300
	TrendBytes  = 90
)

const (
	day            = 86400 // seconds
	defaultDelay   = "1m"
	defaultHistory = "31d"
	defaultTrends  = "365d"
)

// Objects is how many objects each discovery rule is taken to find, by the name of its key.
var Objects = map[string]int{
	"hosting.site.discovery":  2,
	"hosting.slab.discovery":  10,
	"hosting.nginx.discovery": 1,
}

// Cost is what one host costs. It is an upper bound for numbers, each of which is counted as if its value always came; a text that is
// stored only when it changed is counted once in its heartbeat.
type Cost struct {
	AskedPerSecond  float64 // values that the agent is asked for or sends
	StoredPerSecond float64 // values that are stored
	HistoryPerDay   float64 // bytes
	TrendsPerDay    float64 // bytes
	Kept            float64 // bytes in the database once the oldest values are deleted
}

// Add returns the cost of both.
func (c Cost) Add(other Cost) Cost {
	return Cost{
		AskedPerSecond:  c.AskedPerSecond + other.AskedPerSecond,
		StoredPerSecond: c.StoredPerSecond + other.StoredPerSecond,
		HistoryPerDay:   c.HistoryPerDay + other.HistoryPerDay,
		TrendsPerDay:    c.TrendsPerDay + other.TrendsPerDay,
		Kept:            c.Kept + other.Kept,
	}
}

func (c Cost) times(n int) Cost {
	f := float64(n)

	return Cost{c.AskedPerSecond * f, c.StoredPerSecond * f, c.HistoryPerDay * f, c.TrendsPerDay * f, c.Kept * f}
}

// Of returns the cost of a template on one host.
func Of(t export.Template) (Cost, error) {
	total, err := ofItems(t.Items, t.Items)
	if err != nil {
		return Cost{}, err
	}

	for _, rule := range t.DiscoveryRules {
		name, _, _ := strings.Cut(rule.Key, "[")

		objects, known := Objects[name]
		if !known {
			return Cost{}, fmt.Errorf("cannot tell the cost of discovery rule %s: say in templates/cost how many objects it finds", rule.Key)
		}

		interval, err := seconds(rule.Delay, defaultDelay)
		if err != nil {
			return Cost{}, fmt.Errorf("discovery rule %s: %w", rule.Key, err)
		}

		each, err := ofItems(rule.ItemPrototypes, slices.Concat(t.Items, rule.ItemPrototypes))
		if err != nil {
			return Cost{}, err
		}

		total = total.Add(Cost{AskedPerSecond: 1 / interval}).Add(each.times(objects))
	}

	return total, nil
}

func ofItems(items, masters []export.Item) (Cost, error) {
	var total Cost

	for _, item := range items {
		cost, err := ofItem(item, masters)
		if err != nil {
			return Cost{}, fmt.Errorf("item %s: %w", item.Key, err)
		}

		total = total.Add(cost)
	}

	return total, nil
}

func ofItem(item export.Item, masters []export.Item) (Cost, error) {
	interval, err := intervalOf(item, masters)
	if err != nil {
		return Cost{}, err
	}

	var cost Cost
	if item.Type != "DEPENDENT" && item.Type != "CALCULATED" {
		cost.AskedPerSecond = 1 / interval
	}

	history, err := seconds(item.History, defaultHistory)
	if err != nil || history == 0 {
		return cost, err
	}

	heartbeat, err := heartbeatOf(item)
	if err != nil {
		return Cost{}, err
	}

	cost.StoredPerSecond = 1 / max(interval, heartbeat)
	cost.HistoryPerDay = cost.StoredPerSecond * day * bytesOf(item)
	cost.Kept = cost.HistoryPerDay * history / day

	if !isNumber(item) {
		return cost, nil
	}

	trends, err := seconds(item.Trends, defaultTrends)
	if err != nil || trends == 0 {
		return cost, err
	}

	cost.TrendsPerDay = 24 * TrendBytes
	cost.Kept += cost.TrendsPerDay * trends / day

	return cost, nil
}
