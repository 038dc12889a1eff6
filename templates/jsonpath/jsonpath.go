// Package jsonpath evaluates the part of JSONPath that the templates use: members of objects, written .name or ['name'], and elements
// of arrays, written [0].
// Whatever else Zabbix understands is refused, so that a path that passes here means the same to Zabbix.
package jsonpath

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var index = regexp.MustCompile(`^\[(0|[1-9][0-9]*)\]`)

// Get returns the value at the path in a decoded JSON document. A missing member and null are errors: Zabbix finds no value there either.
func Get(document any, path string) (any, error) {
	steps, err := parse(path)
	if err != nil {
		return nil, err
	}

	current := document

	for _, s := range steps {
		if current, err = s.follow(current); err != nil {
			return nil, fmt.Errorf("cannot follow %s: %w", path, err)
		}
	}

	return current, nil
}

// step leads from a value to one that it holds: a member, or the element at an index where there is no name.
type step struct {
	name  string
	index int
}

func (s step) follow(value any) (any, error) {
	if s.name == "" {
		array, ok := value.([]any)
		if !ok {
			return nil, fmt.Errorf("what should hold element %d is not an array", s.index)
		}

		if s.index >= len(array) || array[s.index] == nil {
			return nil, fmt.Errorf("there is no element %d", s.index)
		}

		return array[s.index], nil
	}

	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("what should hold %q is not an object", s.name)
	}

	if object[s.name] == nil {
		return nil, fmt.Errorf("there is no %q", s.name)
	}

	return object[s.name], nil
}

func parse(path string) ([]step, error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok || rest == "" {
		return nil, fmt.Errorf("cannot read the path %q: it must begin with $ and name a member", path)
	}

	var steps []step

	for rest != "" {
		next, tail, ok := cutStep(rest)
		if !ok {
			return nil, fmt.Errorf("cannot read the path %q at %q: only .name, ['name'] and [0] are known here", path, rest)
		}

		steps = append(steps, next)
		rest = tail
	}

	return steps, nil
}

// cutStep splits the first step off a path.
func cutStep(path string) (first step, tail string, ok bool) {
	if found := index.FindStringSubmatch(path); found != nil {
		n, err := strconv.Atoi(found[1])

		return step{index: n}, path[len(found[0]):], err == nil
	}

	name, tail, ok := member(path)

	return step{name: name}, tail, ok
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
