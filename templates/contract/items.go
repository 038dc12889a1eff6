package contract

import (
	"math"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/templates/jsonpath"
)

// row is one discovered object: LLD macros and their values.
type row map[string]string

// checkItems checks items or, where there are rows, item prototypes.
func (c *check) checkItems(items, masters []export.Item, rows []row) {
	for _, item := range items {
		if !hasTag(item.Tags, "component") {
			c.report("item %s has no tag component", item.Key)
		}

		c.checkInherited("item "+item.Key, item.Tags)

		if rows != nil && (!lldMacro.MatchString(item.Key) || !lldMacro.MatchString(item.Name)) {
			c.report("item prototype %s has no discovery macro in its key and name", item.Key)
		}

		if item.Type == "CALCULATED" { // its expression is checked with the references
			continue
		}

		if item.Type != "DEPENDENT" {
			c.checkKey(item.Key, rows)

			continue
		}

		i := slices.IndexFunc(masters, func(m export.Item) bool { return m.Key == item.MasterItem.Key })
		if i < 0 {
			c.report("item %s: there is no master item %q", item.Key, item.MasterItem.Key)

			continue
		}

		if masters[i].History != "0" {
			c.report("master item %s stores its raw value: set history to 0", item.MasterItem.Key)
		}

		c.checkSource(item, rows)
	}
}

// checkKey tells whether the plugin has the key and takes its parameters, user macros being replaced by their defaults and
// LLD macros by the first discovered object.
func (c *check) checkKey(text string, rows []row) {
	asked := c.expand(text)
	if len(rows) > 0 {
		asked = rows[0].replace(asked)
	}

	name, parameters, err := keys.ParseItemKey(asked)
	if err != nil {
		c.report("item %s: %v", text, err)

		return
	}

	all := keys.All()

	i := slices.IndexFunc(all, func(k keys.Key) bool { return k.Name == name })
	if i < 0 {
		c.report("item %s: the plugin has no key %s", text, name)

		return
	}

	if err := all[i].CheckParams(parameters); err != nil {
		c.report("item %s: %v", text, err)
	}
}

// checkSource tells whether the first step of a dependent item finds its value in the golden value of its master item.
func (c *check) checkSource(item export.Item, rows []row) {
	if len(item.Preprocessing) == 0 || len(item.Preprocessing[0].Parameters) != 1 {
		c.report("item %s does not begin with a JSONPath", item.Key)

		return
	}

	name, _, _ := strings.Cut(item.MasterItem.Key, "[")

	var document any
	if err := c.value(name, &document); err != nil {
		c.report("item %s: %v", item.Key, err)

		return
	}

	switch first := item.Preprocessing[0]; first.Type {
	case "JSONPATH":
		c.checkPath(item, document, rows)
	case "JAVASCRIPT":
		c.checkScript(item, document)
	default:
		c.report("item %s does not begin with a JSONPath", item.Key)
	}
}

// checkPath tells whether the item's JSONPath finds a value of the item's type.
func (c *check) checkPath(item export.Item, document any, rows []row) {
	found, err := firstValue(document, item.Preprocessing[0].Parameters[0], rows)
	if err != nil {
		c.report("item %s: %v", item.Key, err)

		return
	}

	if !fits(found, item) {
		c.report("item %s: the golden value %v does not fit type %q", item.Key, found, item.ValueType)
	}
}

// firstValue follows the path for the discovered objects in turn: a prototype's value may be unknown for some of them, not for all.
func firstValue(document any, path string, rows []row) (any, error) {
	if len(rows) == 0 {
		return jsonpath.Get(document, path)
	}

	value, err := jsonpath.Get(document, rows[0].replace(path))

	for i := 1; err != nil && i < len(rows); i++ {
		value, err = jsonpath.Get(document, rows[i].replace(path))
	}

	return value, err
}

func (r row) replace(text string) string {
	for macro, value := range r {
		text = strings.ReplaceAll(text, macro, value)
	}

	return text
}

func fits(value any, item export.Item) bool {
	if slices.ContainsFunc(item.Preprocessing, func(s export.Step) bool { return s.Type == "BOOL_TO_DECIMAL" }) {
		_, ok := value.(bool)

		return ok
	}

	switch item.ValueType {
	case "":
		number, ok := value.(float64)

		return ok && number >= 0 && number == math.Trunc(number)
	case "FLOAT":
		_, ok := value.(float64)

		return ok
	default:
		_, ok := value.(string)

		return ok
	}
}

// discovered returns the golden rows of a discovery rule.
func (c *check) discovered(key string) ([]row, error) {
	name, _, _ := strings.Cut(key, "[")

	var rows []row
	err := c.value(name, &rows)

	return rows, err
}
