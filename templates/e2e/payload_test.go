//go:build e2e

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
	"testing"

	"github.com/stretchr/testify/require"
)

// goldenDirs hold a value of each item key; the first that has one is taken.
var goldenDirs = [...]string{"../testdata/golden", "../../plugin/keys/testdata/golden"}

// change is what differs from a key's golden value: value stands at a path such as "hazards.0.name". A value that is nil takes the member away.
type change struct {
	// key is an item key without its parameters.
	key, path string
	value     any
}

// payload is the golden value of a key with changes.
func payload(t *testing.T, key string, changes ...change) string {
	t.Helper()
	name, _, _ := strings.Cut(key, "[")
	text, isJSON := golden(t, name)
	if !isJSON {
		return text
	}
	var value any
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	for _, c := range changes {
		if c.key != name {
			continue
		}
		var err error
		value, err = put(value, strings.Split(c.path, "."), c.value)
		require.NoError(t, err, "%s: %s", c.key, c.path)
	}
	changed, err := json.Marshal(value)
	require.NoError(t, err)
	return string(changed)
}

func golden(t *testing.T, name string) (text string, isJSON bool) {
	t.Helper()
	for _, dir := range goldenDirs {
		for _, extension := range []string{".json", ".txt"} {
			data, err := os.ReadFile(filepath.Join(dir, name+extension))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			require.NoError(t, err)
			return string(data), extension == ".json"
		}
	}
	require.Fail(t, "there is no golden value of "+name)
	return "", false
}

// put returns JSON with a value at a path. The path has to exist but for its last step, so that a misspelled one fails.
func put(in any, path []string, value any) (any, error) {
	switch node := in.(type) {
	case map[string]any:
		if len(path) == 1 {
			if value == nil {
				delete(node, path[0])
			} else {
				node[path[0]] = value
			}
			return node, nil
		}
		below, found := node[path[0]]
		if !found {
			return nil, fmt.Errorf("there is no %q", path[0])
		}
		changed, err := put(below, path[1:], value)
		node[path[0]] = changed
		return node, err
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(node) {
			return nil, fmt.Errorf("there is no element %q of %d", path[0], len(node))
		}
		if len(path) == 1 {
			node[i] = value
			return node, nil
		}
		node[i], err = put(node[i], path[1:], value)
		return node, err
	}
	return nil, fmt.Errorf("there is nothing below %v", in)
}
