package contract

import (
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/templates/jsonpath"
)

// reportMember is a member of the payload in a script that begins with "const report = JSON.parse(value);".
var reportMember = regexp.MustCompile(`\breport((?:\.\w+)+)`)

// checkScript tells whether what the item's script takes from the payload is there and is a number. The script is not run.
func (c *check) checkScript(item export.Item, document any) {
	members := reportMember.FindAllStringSubmatch(item.Preprocessing[0].Parameters[0], -1)
	if len(members) == 0 {
		c.report("item %s: its script takes nothing from report", item.Key)
	}

	for _, member := range members {
		found, err := jsonpath.Get(document, "$"+member[1])
		if err != nil {
			c.report("item %s: %v", item.Key, err)

			continue
		}

		if _, ok := found.(float64); !ok {
			c.report("item %s: the golden value %v of report%s is no number", item.Key, found, member[1])
		}
	}
}

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
