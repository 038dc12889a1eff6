package views

import "zabbix-agent2-plugin-hosting/templates/api"

// Names of items, by which widgets find them on each host.
const (
	availability5m  = "Availability over 5m"
	availability1h  = "Availability over 1h"
	availability1d  = "Availability over 1d"
	siteAnd         = "*: "
	sunreclaimPct   = "SUnreclaim, in %"
	sunreclaim      = "SUnreclaim"
	availableMemory = "Available memory, in %"
)

// Options of the widget of hosts in an order.
const (
	columnItem, columnHost = 1, 2
	asIs, asBar            = 1, 2
	highest, lowest        = 2, 3
	// hostLimit is how many hosts it shows.
	hostLimit = 10
)

// Availabilities from which on something has a color.
var availabilityColors = []threshold{{"E53935", "0"}, {"FB8C00", "90"}, {"FDD835", "98"}, {"43A047", "99.9"}}

type threshold struct{ color, from string }

// column is a column of hosts' values.
type column struct {
	name, item string
	display    int
	min, max   string
	thresholds []threshold
}

// topHosts shows the hosts of a group in the order of a column, where the host's name is column 0.
func topHosts(is60 bool, name, groupID string, order, by int, columns ...column) widget {
	limit := "show_lines"
	if is60 {
		limit = "count"
	}
	fields := []field{oneGroup(groupID), number("order", order), number("column", by), number(limit, hostLimit)}
	for i, c := range append([]column{{name: "Host"}}, columns...) {
		in := func(f field) field { return listed(f, "columns", i) }
		kind := columnItem
		if i == 0 {
			kind = columnHost
		}
		fields = append(fields, in(text("name", c.name)), in(number("data", kind)), in(text("base_color", "")))
		if kind == columnHost {
			continue
		}
		fields = append(fields, in(text("item", c.item)), in(number("aggregate_function", 0)), in(number("display", c.display)),
			in(number("history", 1)), in(text("min", c.min)), in(text("max", c.max)))
		if is60 {
			fields = append(fields, in(text("timeshift", "")))
		}
		for j, limit := range c.thresholds {
			fields = append(fields, listed(text("color", limit.color), "columnsthresholds", i, j), listed(text("threshold", limit.from), "columnsthresholds", i, j))
		}
	}
	return widget{kind: "tophosts", name: name, fields: fields}
}

// value shows an item's last value, and whether it rose or fell.
func value(name, itemID string, decimals int) widget {
	return widget{kind: "item", name: name, fields: []field{
		oneItem(itemID), number("decimal_places", decimals), number("value_size", 35), number("units_size", 20), shown(0, showValue), shown(1, showChange),
	}}
}

// Parts of a widget of an item; without a choice it shows the item's name and the value's time, too.
const showValue, showChange = 2, 4

func shown(n, part int) field {
	return field{kind: typeNumber, list: "show", indexes: []int{n}, value: part}
}

// Whether a widget of problems has their operational data.
const withoutData, withData = 0, 1

// problems shows those of a group's hosts.
func problems(groupID string, data int) widget {
	return widget{kind: "problems", name: "Problems", fields: []field{oneGroup(groupID), number("show", 3), number("show_opdata", data)}}
}

// line is a line of a graph for each item whose host and name match patterns.
type line struct{ host, item, color string }

func graph(name string, lines ...line) widget {
	var fields []field
	for i, l := range lines {
		fields = append(fields,
			listed(text("hosts", l.host), "ds", i, 0), listed(text("items", l.item), "ds", i, 0), listed(text("color", l.color), "ds", i),
			listed(number("fill", 0), "ds", i), listed(number("width", 2), "ds", i))
	}
	fields = append(fields, text("lefty_max", "100"), number("righty", 0))
	return widget{kind: "svggraph", name: name, fields: fields}
}

// How a tag is compared.
const tagEquals, tagExists = 1, 4

// allSites shows each site of a group's hosts: in a color by its availability, or, where there is no such widget as in 6.0, as a table.
func allSites(groupID string, is60 bool) widget {
	if is60 {
		return widget{kind: "dataover", name: "Availability of each site", fields: []field{
			oneGroup(groupID), number("style", 0),
			listed(text("tag", "component"), "tags", 0), listed(number("operator", tagEquals), "tags", 0), listed(text("value", "availability"), "tags", 0),
			listed(text("tag", "site"), "tags", 1), listed(number("operator", tagExists), "tags", 1), listed(text("value", ""), "tags", 1),
		}}
	}
	fields := []field{
		oneGroup(groupID), {kind: typeText, list: "items", indexes: []int{0}, value: siteAnd + availability1h},
		text("primary_label", `{HOST.NAME} {{ITEM.NAME}.regsub("^(.*):","\1")}`), text("secondary_label", "{{ITEM.LASTVALUE}.fmtnum(2)} %"),
	}
	for i, limit := range availabilityColors {
		fields = append(fields, listed(text("color", limit.color), "thresholds", i), listed(text("threshold", limit.from), "thresholds", i))
	}
	return widget{kind: "honeycomb", name: "Availability of each site over 1h", fields: fields}
}

// at places a widget.
func (w widget) at(x, y, width, height int) widget {
	w.x, w.y, w.width, w.height = x, y, width, height
	return w
}

// forAll shares a dashboard with everybody, to be read.
var forAll = api.Object{"private": 0}
