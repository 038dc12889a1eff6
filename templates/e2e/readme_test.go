//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/api"
)

const (
	readmePath    = "../README.md"
	readmeHeading = "\n### What a control panel asks\n"
	// readmeHost and readmeItem are ids in the examples.
	readmeHost, readmeItem = "10659", "47843"
)

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// requireReadme makes the calls of the README for a server and compares what the answers consist of.
func requireReadme(t *testing.T, customer *api.Client, own customersServer) {
	t.Helper()
	text, err := os.ReadFile(readmePath)
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), readmeHeading)
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := jsonBlock.FindAllStringSubmatch(section, -1)
	require.Len(t, blocks, 6, "three requests, each with its answer")
	for i := 0; i < len(blocks); i += 2 {
		request := strings.NewReplacer(readmeHost, own.hostID, readmeItem, own.itemID).Replace(blocks[i][1])
		var asked struct {
			Method string
			Params json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(request), &asked))
		var want struct{ Result any }
		require.NoError(t, json.Unmarshal([]byte(blocks[i+1][1]), &want))
		var got any
		require.NoError(t, customer.Call(asked.Method, asked.Params, &got))
		t.Logf("%s %s", asked.Method, mustJSON(t, got))
		require.Equal(t, kinds(want.Result), kinds(got), asked.Method)
	}
}

func mustJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// kinds is JSON with a word for each value, and of a list the first element only.
func kinds(value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := map[string]any{}
		for name, below := range v {
			all[name] = kinds(below)
		}
		return all
	case []any:
		if len(v) == 0 {
			return "an empty list"
		}
		return []any{kinds(v[0])}
	case string:
		return "text"
	case nil:
		return "null"
	}
	return "something else"
}
