package convert

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

const columnsPer60 = 3 // the grid has 72 columns in 7.0 and 24 in 6.0

// widget tells what a widget of 7.0 is in 6.0.
type widget struct {
	kind   string            // empty: template dashboards of 6.0 have none
	fields map[string]string // options that 6.0 has too, and their names there
}

var widgets = map[string]widget{
	"graph":          {"GRAPH_CLASSIC", map[string]string{"graphid.0": "graphid"}},
	"graphprototype": {"GRAPH_PROTOTYPE", map[string]string{"graphid.0": "graphid", "columns": "columns", "rows": "rows"}},
	"item": {"ITEM", map[string]string{
		"itemid.0": "itemid", "decimal_places": "decimal_places", "value_size": "value_size", "units_size": "units_size",
		"show.0": "show", "show.1": "show", // each part that is shown
	}},
	"itemhistory": {"PLAIN_TEXT", map[string]string{
		"columns.0.itemid": "itemids", "show_lines": "show_lines", "layout": "style",
	}},
	"honeycomb": {},
	"problems":  {},
}

// presentation lists options of 7.0 without which a widget shows the same values.
var presentation = []string{
	"reference", "columns.0.name", "columns.0.monospace_font", "show_column_header", "show_timestamp",
}

func convertPage(page *yaml.Node) error {
	if err := dropWidgets(page); err != nil {
		return err
	}

	for _, node := range list(page, "widgets") {
		known, ok := widgets[text(node, "type")]
		if !ok {
			return fmt.Errorf("no widget of 6.0 is known for %q; known are %v", text(node, "type"), slices.Sorted(maps.Keys(widgets)))
		}

		get(node, "type").Value = known.kind

		for _, side := range []string{"x", "width"} {
			if err := shrink(node, side); err != nil {
				return err
			}
		}

		if err := convertFields(node, known); err != nil {
			return err
		}
	}

	return nil
}

// dropWidgets removes the widgets that 6.0 lacks and moves up what stands below them. They must fill whole rows, or a hole would remain.
func dropWidgets(page *yaml.Node) error {
	kept := list(page, "widgets")

	for _, lost := range list(page, "widgets") {
		if known, ok := widgets[text(lost, "type")]; !ok || known.kind != "" {
			continue
		}

		if text(lost, "width") != "72" {
			return fmt.Errorf("a %s widget must be 72 columns wide: 6.0 lacks it and what is beside it cannot move", text(lost, "type"))
		}

		kept = slices.DeleteFunc(slices.Clone(kept), func(node *yaml.Node) bool { return node == lost })

		for _, node := range kept {
			if number(node, "y") > number(lost, "y") {
				get(node, "y").Value = strconv.Itoa(number(node, "y") - number(lost, "height"))
			}
		}
	}

	get(page, "widgets").Content = kept

	return nil
}

func shrink(node *yaml.Node, side string) error {
	place := get(node, side)
	if place == nil {
		return nil
	}

	columns := number(node, side)
	if columns%columnsPer60 != 0 {
		return fmt.Errorf("%s %d of widget %q is no multiple of %d", side, columns, text(node, "name"), columnsPer60)
	}

	place.Value = strconv.Itoa(columns / columnsPer60)

	return nil
}

func convertFields(node *yaml.Node, known widget) error {
	var kept []*yaml.Node

	for _, field := range list(node, "fields") {
		name := get(field, "name")
		if slices.Contains(presentation, name.Value) {
			continue
		}

		older, ok := known.fields[name.Value]
		if !ok {
			return fmt.Errorf("no option of 6.0's %s is known for %q", known.kind, name.Value)
		}

		name.Value = older
		kept = append(kept, field)
	}

	get(node, "fields").Content = kept

	return nil
}
