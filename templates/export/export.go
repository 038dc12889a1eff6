// Package export is a Zabbix configuration export (templates as YAML) in Go types. It reads what the project's templates use and
// refuses every other field, so that a misspelled one cannot go unnoticed.
package export

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// File is the content of an export file. Fields are named after the tags of the format.
type File struct {
	Version        string     `yaml:"version"`
	Groups         []Group    `yaml:"groups"`          // 6.0
	TemplateGroups []Group    `yaml:"template_groups"` // 7.0
	Templates      []Template `yaml:"templates"`
	Triggers       []Trigger  `yaml:"triggers"`
	Graphs         []Graph    `yaml:"graphs"`

	root *yaml.Node
}

// PassiveCheck and ActiveCheck are the types of what the server asks the agent for and of what the agent sends by itself.
const (
	PassiveCheck = ""
	ActiveCheck  = "ZABBIX_ACTIVE"
)

// Template is a template with everything that belongs to it alone.
type Template struct {
	UUID           string          `yaml:"uuid"`
	Template       string          `yaml:"template"`
	Name           string          `yaml:"name"`
	Description    string          `yaml:"description"`
	Vendor         Vendor          `yaml:"vendor"`
	Groups         []Named         `yaml:"groups"`
	Items          []Item          `yaml:"items"`
	DiscoveryRules []DiscoveryRule `yaml:"discovery_rules"`
	Tags           []Tag           `yaml:"tags"`
	Macros         []Macro         `yaml:"macros"`
	Dashboards     []Dashboard     `yaml:"dashboards"`
	ValueMaps      []ValueMap      `yaml:"valuemaps"`
}

// Item is an item or an item prototype.
type Item struct {
	UUID              string    `yaml:"uuid"`
	Name              string    `yaml:"name"`
	Type              string    `yaml:"type"`
	Key               string    `yaml:"key"`
	Delay             string    `yaml:"delay"`
	History           string    `yaml:"history"`
	Trends            string    `yaml:"trends"`
	ValueType         string    `yaml:"value_type"`
	Units             string    `yaml:"units"`
	Params            string    `yaml:"params"` // the expression of a calculated item
	Description       string    `yaml:"description"`
	ValueMap          Named     `yaml:"valuemap"`
	Preprocessing     []Step    `yaml:"preprocessing"`
	MasterItem        Reference `yaml:"master_item"`
	Tags              []Tag     `yaml:"tags"`
	Triggers          []Trigger `yaml:"triggers"`
	TriggerPrototypes []Trigger `yaml:"trigger_prototypes"`
}

// Step is a preprocessing step of an item.
type Step struct {
	Type               string   `yaml:"type"`
	Parameters         []string `yaml:"parameters"`
	ErrorHandler       string   `yaml:"error_handler"`
	ErrorHandlerParams string   `yaml:"error_handler_params"`
}

// Trigger is a trigger or a trigger prototype.
type Trigger struct {
	UUID               string       `yaml:"uuid"`
	Expression         string       `yaml:"expression"`
	RecoveryMode       string       `yaml:"recovery_mode"`
	RecoveryExpression string       `yaml:"recovery_expression"`
	Name               string       `yaml:"name"`
	EventName          string       `yaml:"event_name"`
	Opdata             string       `yaml:"opdata"`
	Priority           string       `yaml:"priority"`
	Description        string       `yaml:"description"`
	ManualClose        string       `yaml:"manual_close"`
	Dependencies       []Dependency `yaml:"dependencies"`
	Tags               []Tag        `yaml:"tags"`
}

// Dependency names the trigger that suppresses another; the three fields together identify it.
type Dependency struct {
	Name               string `yaml:"name"`
	Expression         string `yaml:"expression"`
	RecoveryExpression string `yaml:"recovery_expression"`
}

// DiscoveryRule is a low-level discovery rule.
type DiscoveryRule struct {
	UUID                string     `yaml:"uuid"`
	Name                string     `yaml:"name"`
	Type                string     `yaml:"type"`
	Key                 string     `yaml:"key"`
	Delay               string     `yaml:"delay"`
	Filter              Filter     `yaml:"filter"`
	Lifetime            string     `yaml:"lifetime"`
	EnabledLifetimeType string     `yaml:"enabled_lifetime_type"`
	Description         string     `yaml:"description"`
	ItemPrototypes      []Item     `yaml:"item_prototypes"`
	TriggerPrototypes   []Trigger  `yaml:"trigger_prototypes"` // over several items
	GraphPrototypes     []Graph    `yaml:"graph_prototypes"`
	Overrides           []Override `yaml:"overrides"`
}

// Filter selects discovered objects by their LLD macros.
type Filter struct {
	EvalType   string      `yaml:"evaltype"`
	Formula    string      `yaml:"formula"`
	Conditions []Condition `yaml:"conditions"`
}

// Condition compares one LLD macro with a regular expression.
type Condition struct {
	Macro     string `yaml:"macro"`
	Value     string `yaml:"value"`
	Operator  string `yaml:"operator"`
	FormulaID string `yaml:"formulaid"`
}

// Override changes prototypes for the discovered objects that its filter selects.
type Override struct {
	Name       string      `yaml:"name"`
	Step       string      `yaml:"step"`
	Filter     Filter      `yaml:"filter"`
	Operations []Operation `yaml:"operations"`
}

// Operation is what an override does to the prototypes whose name it matches.
type Operation struct {
	Object   string `yaml:"operationobject"`
	Operator string `yaml:"operator"`
	Value    string `yaml:"value"`
	Discover string `yaml:"discover"`
}

// Parse reads an export file.
func Parse(data []byte) (*File, error) {
	var document struct {
		Export File `yaml:"zabbix_export"`
	}

	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)

	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("cannot read the template: %w", err)
	}

	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("cannot read the template: %w", err)
	}

	document.Export.root = &root

	return &document.Export, nil
}
