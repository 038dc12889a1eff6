package export

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Group is a host or template group.
type Group struct {
	UUID string `yaml:"uuid"`
	Name string `yaml:"name"`
}

// Named refers to something by its name.
type Named struct {
	Name string `yaml:"name"`
}

// Vendor tells who made a template.
type Vendor struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
}

// Tag is a tag of a template, item or trigger.
type Tag struct {
	Tag   string `yaml:"tag"`
	Value string `yaml:"value"`
}

// Macro is a user macro.
type Macro struct {
	Macro       string `yaml:"macro"`
	Value       string `yaml:"value"`
	Description string `yaml:"description"`
}

// ValueMap gives names to numbers.
type ValueMap struct {
	UUID     string    `yaml:"uuid"`
	Name     string    `yaml:"name"`
	Mappings []Mapping `yaml:"mappings"`
}

// Mapping is one entry of a value map.
type Mapping struct {
	Value    string `yaml:"value"`
	NewValue string `yaml:"newvalue"`
}

// Graph is a classic graph or a graph prototype.
type Graph struct {
	UUID         string      `yaml:"uuid"`
	Name         string      `yaml:"name"`
	Type         string      `yaml:"type"`
	ShowTriggers string      `yaml:"show_triggers"`
	Items        []GraphItem `yaml:"graph_items"`
}

// GraphItem is one line of a graph.
type GraphItem struct {
	SortOrder string    `yaml:"sortorder"`
	DrawType  string    `yaml:"drawtype"`
	YAxisSide string    `yaml:"yaxisside"`
	Color     string    `yaml:"color"`
	Item      Reference `yaml:"item"`
}

// Dashboard is a dashboard of a template.
type Dashboard struct {
	UUID  string `yaml:"uuid"`
	Name  string `yaml:"name"`
	Pages []Page `yaml:"pages"`
}

// Page is a page of a dashboard.
type Page struct {
	Name    string   `yaml:"name"`
	Widgets []Widget `yaml:"widgets"`
}

// Widget is a widget of a dashboard page; its place is counted in columns and rows of the grid.
type Widget struct {
	Type   string  `yaml:"type"`
	Name   string  `yaml:"name"`
	X      Cells   `yaml:"x"`
	Y      Cells   `yaml:"y"`
	Width  Cells   `yaml:"width"`
	Height Cells   `yaml:"height"`
	Fields []Field `yaml:"fields"`
}

// Cells is a number of columns or rows; the format writes it as text.
type Cells int

// UnmarshalYAML reads a whole number in quotes.
func (c *Cells) UnmarshalYAML(node *yaml.Node) error {
	n, err := strconv.Atoi(node.Value)
	*c = Cells(n)

	return err
}

// Field is an option of a widget.
type Field struct {
	Type  string    `yaml:"type"`
	Name  string    `yaml:"name"`
	Value Reference `yaml:"value"`
}

// Reference points to an item by its key or to a graph by its name. A field that refers to nothing has its value in Text.
type Reference struct {
	Host string `yaml:"host"`
	Key  string `yaml:"key"`
	Name string `yaml:"name"`
	Text string `yaml:"-"`
}

// UnmarshalYAML reads a reference or a plain value.
func (r *Reference) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		r.Text = node.Value

		return nil
	}

	type plain Reference

	return node.Decode((*plain)(r))
}
