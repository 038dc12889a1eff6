package cost

import (
	"fmt"
	"slices"
	"strconv"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// intervalOf returns how often an item gets a value, in seconds: a dependent one as often as its master.
func intervalOf(item export.Item, masters []export.Item) (float64, error) {
	if item.Type != "DEPENDENT" {
		interval, err := seconds(item.Delay, defaultDelay)
		if err == nil && interval == 0 {
			err = fmt.Errorf("cannot tell how often it is updated: its delay is 0")
		}

		return interval, err
	}

	i := slices.IndexFunc(masters, func(m export.Item) bool { return m.Key == item.MasterItem.Key })
	if i < 0 {
		return 0, fmt.Errorf("cannot tell how often it is updated: there is no master item %q", item.MasterItem.Key)
	}

	return intervalOf(masters[i], masters)
}

// heartbeatOf returns after how many seconds an unchanged value is stored again, 0 where each value is stored.
func heartbeatOf(item export.Item) (float64, error) {
	for _, step := range item.Preprocessing {
		if step.Type == "DISCARD_UNCHANGED_HEARTBEAT" {
			return seconds(step.Parameters[0], "")
		}
	}

	return 0, nil
}

func isNumber(item export.Item) bool {
	return item.ValueType == "" || item.ValueType == "FLOAT"
}

func bytesOf(item export.Item) float64 {
	if isNumber(item) {
		return NumberBytes
	}

	return TextBytes
}

// seconds reads a time of Zabbix, such as 10m; what is left out means what Zabbix takes for it.
func seconds(text, omitted string) (float64, error) {
	if text == "" {
		text = omitted
	}

	units := map[byte]float64{'s': 1, 'm': 60, 'h': 3600, 'd': day, 'w': 7 * day}

	number, unit := text, 1.0
	if n := len(text); n > 0 && units[text[n-1]] > 0 {
		number, unit = text[:n-1], units[text[n-1]]
	}

	value, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("cannot read the time %q: a number with s, m, h, d or w is needed", text)
	}

	return float64(value) * unit, nil
}
