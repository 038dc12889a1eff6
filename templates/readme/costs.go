package readme

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/cost"
)

const costNote = `Computed from the templates, for each host, with the intervals that they come with and as many objects as these discoveries find: %s.
Every number is counted as if its value always came, a text that is stored only when it changed once in its heartbeat. A stored number
takes %d bytes, a text %d, an hour of trends %d; problems and logs come on top. Active forms and those for 6.0 cost the same.

`

// costs returns the table of what each template costs the server. A template that asks no agent is for one host of its own: it is not in
// the total.
func costs(all []Template) (string, error) {
	rows := [][]string{{"Template", "Asked per second", "Stored per second", "History per day", "Trends per day", "In the database in the end"}}

	var total cost.Cost

	for _, documented := range all {
		for _, t := range documented.File.Templates {
			one, err := cost.Of(t)
			if err != nil {
				return "", fmt.Errorf("template %s: %w", t.Name, err)
			}

			rows = append(rows, costRow(t.Name, one))

			if one.AskedPerSecond > 0 {
				total = total.Add(one)
			}
		}
	}

	rows = append(rows, costRow("All on one host", total))

	return fmt.Sprintf(costNote, assumed(), cost.NumberBytes, cost.TextBytes, cost.TrendBytes) + table(rows), nil
}

func costRow(name string, c cost.Cost) []string {
	return []string{
		name, fmt.Sprintf("%.2f", c.AskedPerSecond), fmt.Sprintf("%.2f", c.StoredPerSecond),
		megabytes(c.HistoryPerDay), megabytes(c.TrendsPerDay), megabytes(c.Kept),
	}
}

func megabytes(n float64) string {
	return fmt.Sprintf("%.2f MB", n/1e6)
}

func assumed() string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(cost.Objects)) {
		found = append(found, fmt.Sprintf("%d from %s", cost.Objects[key], code(key)))
	}

	return strings.Join(found, ", ")
}
