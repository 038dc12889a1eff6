package views

import (
	"fmt"
	"slices"
	"strconv"

	"zabbix-agent2-plugin-hosting/templates/api"
)

// The types of widget fields; dashboard.create's "type".
const (
	typeNumber = 0
	typeText   = 1
	typeGroup  = 2
	typeItem   = 4
)

// columnsPer60 is how many columns of the grid of 7.0, which has 72, are one of 6.0's.
const columnsPer60 = 3

// widget is a widget of a dashboard in the grid of 7.0.
type widget struct {
	kind, name          string
	x, y, width, height int
	fields              []field
}

// field is an option of a widget. An element of a list, such as the color of the second column, has indexes, and a name below that of the list, if the list is not
// of plain values.
type field struct {
	kind    int
	list    string
	indexes []int
	name    string
	value   any
}

// number, text and others make fields.
func number(name string, value int) field { return field{kind: typeNumber, name: name, value: value} }
func text(name, value string) field       { return field{kind: typeText, name: name, value: value} }
func oneGroup(id string) field {
	return field{kind: typeGroup, list: "groupids", indexes: []int{0}, value: id}
}
func oneItem(id string) field {
	return field{kind: typeItem, list: "itemid", indexes: []int{0}, value: id}
}
func listed(f field, list string, indexes ...int) field {
	f.list, f.indexes = list, indexes
	return f
}

// key is the field's name in the API: columns.0.color in 7.0, columns.color.0 in 6.0. Each plain value of a list has the list's name in 6.0.
func (f field) key(is60 bool) string {
	if f.list == "" {
		return f.name
	}
	if f.name == "" {
		if is60 {
			return f.list
		}
		return fmt.Sprintf("%s.%d", f.list, f.indexes[0])
	}
	key := fmt.Sprintf("%s.%d.%s", f.list, f.indexes[0], f.name)
	if is60 {
		key = fmt.Sprintf("%s.%s.%d", f.list, f.name, f.indexes[0])
	}
	for _, index := range f.indexes[1:] {
		key += "." + strconv.Itoa(index)
	}
	return key
}

// encode returns widgets as the API of a version wants them. Each has a reference in 7.0, by which others could listen to it.
func encode(widgets []widget, is60 bool) []api.Object {
	all := make([]api.Object, len(widgets))
	for i, w := range widgets {
		if !is60 {
			w.fields = append(slices.Clip(w.fields), text("reference", fmt.Sprintf("HOST%c", 'A'+i)))
		} else {
			w.x, w.width = w.x/columnsPer60, w.width/columnsPer60
		}
		fields := make([]api.Object, len(w.fields))
		for j, f := range w.fields {
			fields[j] = api.Object{"type": f.kind, "name": f.key(is60), "value": f.value}
		}
		all[i] = api.Object{"type": w.kind, "name": w.name, "x": w.x, "y": w.y, "width": w.width, "height": w.height, "view_mode": 0, "fields": fields}
	}
	return all
}
