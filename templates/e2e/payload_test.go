package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// goldenDirs hold a value of each item key; the first that has one is taken.
var goldenDirs = [...]string{"../testdata/golden", "../../plugin/keys/testdata/golden"}

// change is what differs from a key's golden value: value stands at a path such as "hazards.0.name", or in the place of the whole where the path is empty.
// A value that is nil takes the member away. Values of the types line and since depend on the moment.
type change struct {
	// key is an item key without its parameters.
	key, path string
	value     any
}

// moment is how many minutes a scenario has been going on for, in each of its parts.
type moment struct{ well, ill, after float64 }

// line is a number that grows by so much a minute in each part of a scenario, as counters do.
type line struct{ from, well, ill, after float64 }

// since is a value that the fault changes for good, in one of its minutes or with its first value. Both may be lines.
type since struct {
	before, after any
	minute        float64
}

// at returns the value itself.
func (m moment) at(value any) any {
	switch v := value.(type) {
	case line:
		return v.from + v.well*m.well + v.ill*m.ill + v.after*m.after
	case since:
		if m.ill > 0 && m.ill >= v.minute {
			return m.at(v.after)
		}
		return m.at(v.before)
	}
	return value
}

// payload is the golden value of a key with changes, as it is at a moment.
func payload(key string, at moment, changes ...change) (string, error) {
	name := bare(key)
	text, err := golden(name)
	if err != nil {
		return "", err
	}
	if !json.Valid([]byte(text)) {
		return text, nil
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "", fmt.Errorf("cannot read the golden value of %s: %w; mend it", name, err)
	}
	for _, c := range changes {
		if c.key != name {
			continue
		}
		if value, err = put(value, c.path, at.at(c.value)); err != nil {
			return "", fmt.Errorf("cannot change %s of %s: %w; look into its golden value", c.path, name, err)
		}
	}
	changed, err := json.Marshal(value)
	return string(changed), err
}

// bare is an item key without its parameters.
func bare(key string) string {
	name, _, _ := strings.Cut(key, "[")
	return name
}

func golden(name string) (string, error) {
	for _, dir := range goldenDirs {
		for _, extension := range []string{".json", ".txt"} {
			data, err := os.ReadFile(filepath.Join(dir, name+extension))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return string(data), err
		}
	}
	return "", fmt.Errorf("cannot find a golden value of %s in %v; write one", name, goldenDirs)
}

// put returns JSON with a value at a path. The path has to exist but for its last step, so that a misspelled one fails.
func put(in any, path string, value any) (any, error) {
	if path == "" {
		return value, nil
	}
	step, rest, _ := strings.Cut(path, ".")
	switch node := in.(type) {
	case map[string]any:
		if rest == "" {
			if value == nil {
				delete(node, step)
			} else {
				node[step] = value
			}
			return node, nil
		}
		below, found := node[step]
		if !found {
			return nil, fmt.Errorf("there is no %q", step)
		}
		changed, err := put(below, rest, value)
		node[step] = changed
		return node, err
	case []any:
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(node) {
			return nil, fmt.Errorf("there is no element %q of %d", step, len(node))
		}
		node[i], err = put(node[i], rest, value)
		return node, err
	}
	return nil, fmt.Errorf("there is nothing below %v", in)
}
