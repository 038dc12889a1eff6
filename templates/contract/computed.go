package contract

import (
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// anyParameters stands in a key for whatever parameters it has.
const anyParameters = "[*]"

// checkCalculated tells whether calculated items look at items of their own template, or at those that other hosts of a group have.
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
		c.report("item %s: an item is not written (//key) or (/*/key?[filter]) in %q", item.Key, item.Params)
	}

	for _, reference := range found {
		host, key, filter := reference[1], reference[2], reference[3]

		switch {
		case host == "*" && filter == "":
			c.report("item %s: %s of every host of the server is meant: give it a filter by group", item.Key, key)
		case host == "*" && !hasKey(c.elsewhere, key):
			c.report("item %s: no other template has an item %q", item.Key, key)
		case host != "*" && (host != "" || !hasKey(known.items, key)):
			c.report("item %s: there is no item %q of %q", item.Key, key, host)
		}
	}
}

// hasKey tells whether a key is among others, with its parameters or, where it ends in [*], with any.
func hasKey(keys []string, key string) bool {
	name, whatever := strings.CutSuffix(key, anyParameters)
	if !whatever {
		return slices.Contains(keys, key)
	}

	return slices.ContainsFunc(keys, func(other string) bool { return strings.HasPrefix(other, name+"[") })
}

func allItems(t export.Template) []export.Item {
	items := slices.Clone(t.Items)
	for _, rule := range t.DiscoveryRules {
		items = append(items, rule.ItemPrototypes...)
	}

	return items
}
