package contract

import (
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// references is what expressions, graphs and widgets may point to.
type references struct {
	template   string
	items      []string // keys
	calculated []string // keys of those that the server calculates
	texts      []string // keys of those that always have a text, be it empty
	names      []string // of items
	graphs     []string
	triggers   []export.Trigger
}

// checkReferences tells whether triggers, graphs and widgets refer to things that are in the file.
func (c *check) checkReferences() {
	known, graphs := c.collect()

	c.checkTriggers(known)
	c.checkCalculated(known)

	for _, graph := range graphs {
		for _, item := range graph.Items {
			if item.Item.Host != known.template || !slices.Contains(known.items, item.Item.Key) {
				c.report("graph %s: there is no item %q of %q", graph.Name, item.Item.Key, item.Item.Host)
			}
		}
	}

	for _, t := range c.file.Templates {
		for _, dashboard := range t.Dashboards {
			for _, page := range dashboard.Pages {
				c.checkWidgets(page.Widgets, known)
			}
		}
	}
}

func (c *check) collect() (references, []export.Graph) {
	var known references

	graphs := slices.Clone(c.file.Graphs)

	for _, t := range c.file.Templates {
		known.template = t.Template
		known.add(t.Items)

		for _, rule := range t.DiscoveryRules {
			known.add(rule.ItemPrototypes)
			known.triggers = append(known.triggers, rule.TriggerPrototypes...)
			graphs = append(graphs, rule.GraphPrototypes...)
		}
	}

	known.triggers = append(known.triggers, c.file.Triggers...)

	for _, graph := range graphs {
		known.graphs = append(known.graphs, graph.Name)
	}

	return known, graphs
}

func (r *references) add(items []export.Item) {
	for _, item := range items {
		r.items = append(r.items, item.Key)
		if item.Type == "CALCULATED" {
			r.calculated = append(r.calculated, item.Key)
		}

		if isText(item) && !slices.ContainsFunc(item.Preprocessing, func(s export.Step) bool { return s.ErrorHandler == "DISCARD_VALUE" }) {
			r.texts = append(r.texts, item.Key)
		}

		r.names = append(r.names, item.Name)
		r.triggers = append(r.triggers, item.Triggers...)
		r.triggers = append(r.triggers, item.TriggerPrototypes...)
	}
}

func isText(item export.Item) bool { return item.ValueType == "TEXT" || item.ValueType == "CHAR" }

// hasItemLike tells whether the pattern of a widget, in which a star stands for any text, fits the name of an item.
func (r *references) hasItemLike(pattern string) bool {
	start, end, starred := strings.Cut(pattern, "*")

	return slices.ContainsFunc(r.names, func(name string) bool {
		return name == pattern || starred && strings.HasPrefix(name, start) && strings.HasSuffix(name, end)
	})
}

func (c *check) checkWidgets(widgets []export.Widget, known references) {
	for _, widget := range widgets {
		for _, field := range widget.Fields {
			ok := true

			switch field.Type {
			case "ITEM", "ITEM_PROTOTYPE":
				ok = field.Value.Host == known.template && slices.Contains(known.items, field.Value.Key)
			case "STRING":
				ok = !strings.HasPrefix(field.Name, "items.") || known.hasItemLike(field.Value.Text)
			case "GRAPH", "GRAPH_PROTOTYPE":
				ok = field.Value.Host == known.template && slices.Contains(known.graphs, field.Value.Name)
			}

			if !ok {
				c.report("widget %s %q: there is no %s %q", widget.Type, widget.Name, field.Type, field.Value.Key+field.Value.Name+field.Value.Text)
			}
		}
	}
}
