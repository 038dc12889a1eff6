package convert

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// get returns the value of a tag, nil when the mapping lacks it.
func get(mapping *yaml.Node, tag string) *yaml.Node {
	if i := find(mapping, tag); i >= 0 {
		return mapping.Content[i+1]
	}

	return nil
}

func find(mapping *yaml.Node, tag string) int {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return -1
	}

	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == tag {
			return i
		}
	}

	return -1
}

func text(mapping *yaml.Node, tag string) string {
	if node := get(mapping, tag); node != nil {
		return node.Value
	}

	return ""
}

// number returns a whole number, 0 where the tag is missing: the format's own default for places.
func number(mapping *yaml.Node, tag string) int {
	n, err := strconv.Atoi(text(mapping, tag))
	if err != nil {
		return 0
	}

	return n
}

func list(mapping *yaml.Node, tag string) []*yaml.Node {
	if node := get(mapping, tag); node != nil {
		return node.Content
	}

	return nil
}

func rename(mapping *yaml.Node, tag, name string) {
	if i := find(mapping, tag); i >= 0 {
		mapping.Content[i].Value = name
	}
}

func remove(mapping *yaml.Node, tags ...string) {
	for _, tag := range tags {
		if i := find(mapping, tag); i >= 0 {
			mapping.Content = slices.Delete(mapping.Content, i, i+2)
		}
	}
}

// insertAfter adds a tag behind the first of the anchors that the mapping has.
func insertAfter(mapping *yaml.Node, tag, value string, anchors ...string) {
	at := len(mapping.Content)

	for _, anchor := range anchors {
		if i := find(mapping, anchor); i >= 0 {
			at = i + 2

			break
		}
	}

	mapping.Content = slices.Insert(mapping.Content, at,
		&yaml.Node{Kind: yaml.ScalarNode, Value: tag}, &yaml.Node{Kind: yaml.ScalarNode, Value: value})
}
