package contract

import (
	"maps"
	"slices"
	"strconv"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/templates/export"
)

// enum returns the numbers and names that a value map must have.
func enum(name string) (map[int]string, bool) {
	switch name {
	case "Hosting check state":
		return keys.CheckStates(), true
	case "Hosting site reason":
		return site.Reasons(), true
	case "Hosting yes or no":
		return map[int]string{0: "No", 1: "Yes"}, true
	default:
		return nil, false
	}
}

func (c *check) checkValueMaps(t export.Template) {
	used := make(map[string]bool)

	for _, item := range allItems(t) {
		if item.ValueMap.Name != "" {
			used[item.ValueMap.Name] = true
		}
	}

	for _, valueMap := range t.ValueMaps {
		c.checkValueMap(valueMap)

		if !used[valueMap.Name] {
			c.report("no item uses value map %s", valueMap.Name)
		}

		delete(used, valueMap.Name)
	}

	for _, name := range slices.Sorted(maps.Keys(used)) {
		c.report("there is no value map %s", name)
	}
}

func (c *check) checkValueMap(valueMap export.ValueMap) {
	want, known := enum(valueMap.Name)
	if !known {
		c.report("value map %s stands for no enum", valueMap.Name)

		return
	}

	got := make(map[int]string)

	for _, mapping := range valueMap.Mappings {
		number, err := strconv.Atoi(mapping.Value)
		if err != nil {
			c.report("value map %s: %v", valueMap.Name, err)
		}

		got[number] = mapping.NewValue
	}

	if !maps.Equal(got, want) {
		c.report("value map %s is %v, the code says %v", valueMap.Name, got, want)
	}
}
