// Package enum names the values of the enums in payloads. Numbers and names are stable, for value maps and triggers rely on them.
package enum

import (
	"slices"
	"strconv"
)

// Names are the names of an enum's values.
type Names[E ~int] struct {
	kind  string
	names []string
}

// Of names the values from 0 on; a number without a value has the name "". kind is what the enum is, such as "state".
func Of[E ~int](kind string, names ...string) Names[E] {
	return Names[E]{kind: kind, names: names}
}

// Name is the name of a value, such as "watching". What is none gets its kind and number, such as "state_9".
func (n Names[E]) Name(value E) string {
	if value < 0 || int(value) >= len(n.names) || n.names[value] == "" {
		return n.kind + "_" + strconv.Itoa(int(value))
	}

	return n.names[value]
}

// Value is the value of a name; false where it is the name of none.
func (n Names[E]) Value(name string) (E, bool) {
	at := slices.Index(n.names, name)

	return E(max(at, 0)), at >= 0 && name != ""
}

// All returns every name by its number, as a value map has them.
func (n Names[E]) All() map[int]string {
	all := make(map[int]string, len(n.names))

	for number, name := range n.names {
		if name != "" {
			all[number] = name
		}
	}

	return all
}
