package scripted

import (
	"encoding/base64"
	"strings"
)

// Dialect is what differs between agents on the wire.
type Dialect struct {
	// Version is the protocol version in the Register request.
	Version string
	// Timeout: export requests carry the item's timeout.
	Timeout bool
	// TerminateZero: the Terminate request has the id 0 and not the next one.
	TerminateZero bool
	// SystemNode: the private options hold a node System with the plugin's path.
	SystemNode bool
	// NullValues: an option with an empty value is sent as null.
	NullValues bool
}

// V60 is how agent 6.0.14 speaks.
func V60() Dialect {
	return Dialect{Version: "6.0.13", TerminateZero: true, SystemNode: true, NullValues: true}
}

// V70 is how agent 7.0 speaks.
func V70() Dialect { return Dialect{Version: "6.4.0", Timeout: true} }

// Option is one line of the plugin's section: Plugins.<section>.<Name>=<Value>.
type Option struct{ Name, Value string }

// privateOptions is the tree that agents make of a section; values are base64.
func (d Dialect) privateOptions(section string, options []Option) any {
	root := &node{Name: section, Line: 1}
	if d.SystemNode {
		options = append(options, Option{"System.Path", "/plugin"})
	}
	for i, option := range options {
		leaf := map[string]any{"Value": base64.StdEncoding.EncodeToString([]byte(option.Value)), "Line": i + 2}
		if option.Value == "" && d.NullValues {
			leaf["Value"] = nil
		}
		at := root
		for name := range strings.SplitSeq(option.Name, ".") {
			at = at.child(name, i+2)
		}
		at.Nodes = append(at.Nodes, leaf)
	}
	return root
}

type node struct {
	Name  string
	Nodes []any
	Line  int
}

func (n *node) child(name string, line int) *node {
	for _, have := range n.Nodes {
		if below, ok := have.(*node); ok && below.Name == name {
			return below
		}
	}
	below := &node{Name: name, Line: line}
	n.Nodes = append(n.Nodes, below)
	return below
}
