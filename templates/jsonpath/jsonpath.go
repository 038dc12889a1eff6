// Package jsonpath evaluates the part of JSONPath that the templates use: members of objects, written .name or ['name'].
// Whatever else Zabbix understands is refused, so that a path that passes here means the same to Zabbix.
package jsonpath

import (
	"fmt"
	"strings"
)

// Get returns the value at the path in a decoded JSON document. A missing member and null are errors: Zabbix finds no value there either.
func Get(document any, path string) (any, error) {
	members, err := parse(path)
	if err != nil {
		return nil, err
	}

	current := document

	for _, name := range members {
		object, ok := current.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("cannot follow %s: what should hold %q is not an object", path, name)
		}

		if current, ok = object[name]; !ok || current == nil {
			return nil, fmt.Errorf("cannot follow %s: there is no %q", path, name)
		}
	}

	return current, nil
}

func parse(path string) ([]string, error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok || rest == "" {
		return nil, fmt.Errorf("cannot read the path %q: it must begin with $ and name a member", path)
	}

	var members []string

	for rest != "" {
		name, tail, ok := member(rest)
		if !ok {
			return nil, fmt.Errorf("cannot read the path %q at %q: only .name and ['name'] are known here", path, rest)
		}

		members = append(members, name)
		rest = tail
	}

	return members, nil
}

// member splits the first member name off a path.
func member(path string) (name, tail string, ok bool) {
	if quoted, found := strings.CutPrefix(path, "['"); found {
		name, tail, ok = strings.Cut(quoted, "']")

		return name, tail, ok && name != "" && !strings.ContainsAny(name, `'\`)
	}

	dotted, found := strings.CutPrefix(path, ".")
	end := 0

	for end < len(dotted) && isNameByte(dotted[end], end == 0) {
		end++
	}

	return dotted[:end], dotted[end:], found && end > 0
}

func isNameByte(b byte, first bool) bool {
	letter := b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'

	return letter || !first && b >= '0' && b <= '9'
}
