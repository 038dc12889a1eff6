package contract

import (
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// checkCalculated tells whether calculated items look at items of their own template.
func (c *check) checkCalculated(known references) {
	for _, t := range c.file.Templates {
		for _, item := range allItems(t) {
			if item.Type == "CALCULATED" {
				c.checkCalculation(item, known)
			}
		}
	}
}

func (c *check) checkCalculation(item export.Item, known references) {
	found := itemReference.FindAllStringSubmatch(item.Params, -1)
	if len(found) == 0 || len(found) != strings.Count(item.Params, "(/") {
		c.report("item %s: an item is not written (//key) in %q", item.Key, item.Params)
	}

	for _, reference := range found {
		if reference[1] != "" || !slices.Contains(known.items, reference[2]) {
			c.report("item %s: there is no item %q of %q", item.Key, reference[2], reference[1])
		}
	}
}

func allItems(t export.Template) []export.Item {
	items := slices.Clone(t.Items)
	for _, rule := range t.DiscoveryRules {
		items = append(items, rule.ItemPrototypes...)
	}

	return items
}
