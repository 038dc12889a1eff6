// Package contract tells whether a template keeps its promises: to the plugin, whose keys and values it uses, to Zabbix, whose
// references must hold, and to its users, whose history hangs on its UUIDs. It needs no server.
package contract

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// Check returns what is wrong with a template, in the order of the file. The folder golden holds a value of each master item and discovery,
// as KEY.json. The others are the templates of other hosts, whose items a calculation over all hosts may look at.
func Check(file *export.File, golden fs.FS, others ...*export.File) []string {
	c := &check{file: file, golden: golden, macros: make(map[string]string)}

	for _, other := range others {
		for _, t := range other.Templates {
			for _, item := range allItems(t) {
				c.elsewhere = append(c.elsewhere, item.Key)
			}
		}
	}

	for _, t := range file.Templates {
		for _, m := range t.Macros {
			c.macros[m.Macro] = m.Value
		}
	}

	c.checkMacros()
	c.checkUUIDs()

	for _, t := range file.Templates {
		c.checkTemplate(t)
	}

	c.checkReferences()

	return c.problems
}

type check struct {
	file   *export.File
	golden fs.FS
	macros map[string]string // defined user macros and their defaults
	// elsewhere are the keys of other hosts.
	elsewhere []string
	problems  []string
}

func (c *check) report(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *check) checkTemplate(t export.Template) {
	for _, tag := range []string{"class", "target"} {
		if !hasTag(t.Tags, tag) {
			c.report("template %s has no tag %s", t.Name, tag)
		}
	}

	c.checkInherited("template "+t.Name, t.Tags)
	c.checkItems(t.Items, t.Items, nil)

	for _, rule := range t.DiscoveryRules {
		c.checkKey(rule.Key, nil)

		rows, err := c.discovered(rule.Key)
		if err != nil {
			c.report("discovery rule %s: %v", rule.Key, err)

			continue
		}

		c.checkItems(rule.ItemPrototypes, slices.Concat(t.Items, rule.ItemPrototypes), rows)
	}

	c.checkDiscoveryMacros(t)
	c.checkValueMaps(t)

	for _, dashboard := range t.Dashboards {
		for _, page := range dashboard.Pages {
			c.checkGrid(dashboard.Name, page)
		}
	}
}

// value returns the decoded golden value of an item key without parameters.
func (c *check) value(name string, into any) error {
	data, err := fs.ReadFile(c.golden, name+".json")
	if err != nil {
		return fmt.Errorf("cannot find a golden value: %w", err)
	}

	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("cannot read the golden value of %s: %w", name, err)
	}

	return nil
}

func hasTag(tags []export.Tag, name string) bool {
	for _, tag := range tags {
		if tag.Tag == name && tag.Value != "" {
			return true
		}
	}

	return false
}
