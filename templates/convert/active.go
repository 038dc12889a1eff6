package convert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"zabbix-agent2-plugin-hosting/templates/export"
)

const activeSuffix = " active"

// ToActive makes the template one for active checks, another template with the same content: its objects have UUIDs of their own, each derived
// from that of the passive one. It returns false and changes nothing where the template asks the agent nothing and so needs no such form.
func (t *Template) ToActive() (bool, error) {
	polled, err := t.polled()
	if err != nil || len(polled) == 0 {
		return false, err
	}

	for _, item := range polled {
		insertAfter(item, "type", export.ActiveCheck, "name")
	}

	for _, template := range list(t.root(), "templates") {
		renameTemplate(t.root(), text(template, "template"))
	}

	deriveUUIDs(t.root())

	return true, nil
}

// polled returns the items and discovery rules for which the server asks the agent.
func (t *Template) polled() ([]*yaml.Node, error) {
	var polled []*yaml.Node

	for _, template := range list(t.root(), "templates") {
		all := slices.Clone(list(template, "items"))
		for _, rule := range list(template, "discovery_rules") {
			all = append(append(all, rule), list(rule, "item_prototypes")...)
		}

		for _, item := range all {
			switch kind := text(item, "type"); kind {
			case "":
				polled = append(polled, item)
			case "DEPENDENT", "CALCULATED":
			default:
				return nil, fmt.Errorf("cannot make the template active: nobody said how item %s of type %s would be", text(item, "key"), kind)
			}
		}
	}

	return polled, nil
}

// renameTemplate changes the name of a template and every reference to it, in expressions and elsewhere.
func renameTemplate(node *yaml.Node, name string) {
	if node.Kind == yaml.ScalarNode {
		if node.Value == name {
			node.Value += activeSuffix
		}

		node.Value = strings.ReplaceAll(node.Value, "/"+name+"/", "/"+name+activeSuffix+"/")
	}

	for _, child := range node.Content {
		renameTemplate(child, name)
	}
}

// deriveUUIDs gives each object another UUID. Template groups are Zabbix's own and keep theirs.
func deriveUUIDs(node *yaml.Node) {
	if uuid := get(node, "uuid"); uuid != nil {
		uuid.Value = derive(uuid.Value)
	}

	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && (i%2 == 0 || node.Content[i-1].Value == "template_groups") {
			continue
		}

		deriveUUIDs(child)
	}
}

// derive returns the UUID of an object's active twin: always the same one, and of version 4 in form, as Zabbix demands.
func derive(uuid string) string {
	sum := sha256.Sum256([]byte("active " + uuid))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80

	return hex.EncodeToString(sum[:16])
}
