package export

import "go.yaml.in/yaml/v3"

// Identity is an object that Zabbix recognizes by its UUID when a file is imported again.
type Identity struct {
	UUID string
	Kind string // the tag of the list that holds the object
	Name string
}

// Identities returns every object that has a UUID, in the order of the file.
func (f *File) Identities() []Identity {
	var found []Identity

	walk(f.root, "", func(list string, node *yaml.Node) {
		if uuid := value(node, "uuid"); uuid != "" {
			found = append(found, Identity{UUID: uuid, Kind: list, Name: value(node, "name")})
		}
	})

	return found
}

// Texts returns every text of the file but the definitions of its macros.
func (f *File) Texts() []string {
	var texts []string

	walk(f.root, "", func(list string, node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && list != "macros" {
			texts = append(texts, node.Value)
		}
	})

	return texts
}

// walk visits each node below the given one with the tag of the nearest list around it.
func walk(node *yaml.Node, list string, visit func(list string, node *yaml.Node)) {
	visit(list, node)

	if node.Kind != yaml.MappingNode {
		for _, child := range node.Content {
			walk(child, list, visit)
		}

		return
	}

	for i := 0; i < len(node.Content); i += 2 {
		tag, child := node.Content[i], node.Content[i+1]

		inner := list
		if child.Kind == yaml.SequenceNode {
			inner = tag.Value
		}

		walk(child, inner, visit)
	}
}

func value(mapping *yaml.Node, tag string) string {
	if mapping.Kind != yaml.MappingNode {
		return ""
	}

	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == tag {
			return mapping.Content[i+1].Value
		}
	}

	return ""
}
