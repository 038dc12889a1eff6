package config

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// setting is one line of the configuration below Plugins.Hosting.
type setting struct {
	name  string // with dots
	value string
	line  int
}

// node is a name with nodes below it, or a value, as the agent encodes its configuration tree (SDK, conf.Node). Agent 6.0
// sends an empty value as null.
type node struct {
	Name  *string
	Nodes []node
	Value []byte
	Line  int
}

// parseTree returns the settings in the order of the configuration. The SDK's own decoder is not used, because in a plugin its
// errors have lost the option's name.
func parseTree(private []byte) ([]setting, error) {
	if private = bytes.TrimSpace(private); len(private) == 0 {
		return nil, nil
	}

	var root node
	if err := json.Unmarshal(private, &root); err != nil {
		return nil, fmt.Errorf("cannot decode the options that the agent sent: %w", err)
	}

	var settings []setting

	for _, child := range root.Nodes {
		// System.Path and its like are the agent's own; up to 7.0.9 it sends them along.
		if child.Name != nil && *child.Name != "System" {
			settings = child.appendTo(settings, *child.Name)
		}
	}

	return settings, nil
}

func (n node) appendTo(settings []setting, name string) []setting {
	for _, child := range n.Nodes {
		if child.Name == nil {
			settings = append(settings, setting{name: name, value: string(child.Value), line: child.Line})

			continue
		}

		settings = child.appendTo(settings, name+"."+*child.Name)
	}

	return settings
}
