package contract

import (
	"maps"
	"slices"
	"strconv"

	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/nginx/hazard"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/templates/export"
)

// enum returns the numbers and names that a value map must have.
func enum(name string) (map[int]string, bool) {
	switch name {
	case "Hosting check state":
		return keys.CheckStates(), true
	case "Hosting helper state":
		return helper.States(), true
	case "Hosting nginx hazard":
		return hazard.IDs(), true
	case "Hosting nginx hazard severity":
		return hazard.Severities(), true
	case "Hosting nginx state":
		return nginx.States(), true
	case "Hosting nginx technique":
		return sandbox.AllTechniques(), true
	case "Hosting site reason":
		return site.Reasons(), true
	case "Hosting slab owner state":
		return slabowner.States(), true
	case "Hosting unit result":
		return unit.Results(), true
	case "Hosting unit state":
		return unit.ActiveStates(), true
	case "Hosting watch state":
		return watch.States(), true
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

// names returns what the value maps give names to.
func (c *check) names() []string {
	var all []string

	for _, t := range c.file.Templates {
		for _, valueMap := range t.ValueMaps {
			for _, mapping := range valueMap.Mappings {
				all = append(all, mapping.NewValue)
			}
		}
	}

	return all
}
