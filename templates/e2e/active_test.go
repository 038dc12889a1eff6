//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// activeForm makes all that a template asks the agent active, for only active items take values that say when they were taken.
func activeForm(t *testing.T, text string) string {
	t.Helper()
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &document))
	changed := makeActive(&document)
	require.Positive(t, changed)
	active, err := yaml.Marshal(&document)
	require.NoError(t, err)
	return string(active)
}

// makeActive gives each item without a type, which is a passive one, the type of active ones, and returns how many there were.
func makeActive(node *yaml.Node) int {
	changed := 0
	for i, below := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 {
			switch node.Content[i-1].Value {
			case "items", "item_prototypes", "discovery_rules":
				for _, item := range below.Content {
					if !has(item, "type") && has(item, "key") {
						item.Content = append(item.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "type"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "ZABBIX_ACTIVE"})
						changed++
					}
				}
			}
		}
		changed += makeActive(below)
	}
	return changed
}

// has tells whether a mapping has a key.
func has(mapping *yaml.Node, key string) bool {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return true
		}
	}
	return false
}
