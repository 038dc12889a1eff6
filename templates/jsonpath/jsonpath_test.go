package jsonpath_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/jsonpath"
)

const document = `{"a":{"b":[1],"c_1":"x"},"list":[{"a":1}],"watched":{"UDP-Lite":{"size":7},"odd.name, here":{"size":8}},"nothing":null,"zero":0,"no":false}`

func TestGet(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		path string
		want any
	}{
		"a member of an object":              {"$.a.c_1", "x"},
		"a quoted member":                    {"$['a']['c_1']", "x"},
		"a quoted member with a hyphen":      {"$.watched['UDP-Lite'].size", 7.0},
		"a quoted member with dot and comma": {"$.watched['odd.name, here'].size", 8.0},
		"a whole array":                      {"$.a.b", []any{1.0}},
		"an element of an array":             {"$.list[0].a", 1.0},
		"zero is a value":                    {"$.zero", 0.0},
		"false is a value":                   {"$.no", false},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := jsonpath.Get(decode(t), test.path)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestGetRefuses(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ path, want string }{
		"a missing member":               {"$.a.z", `there is no "z"`},
		"null":                           {"$.nothing", `there is no "nothing"`},
		"a member of a string":           {"$.a.c_1.d", "is not an object"},
		"a member of an array":           {"$.list.a", "is not an object"},
		"the whole document":             {"$", "must begin with $ and name a member"},
		"an empty path":                  {"", "must begin with $"},
		"a path without the root":        {"a.b", "must begin with $"},
		"an element that is not there":   {"$.list[1].a", "there is no element 1"},
		"an element of an object":        {"$.a[0]", "what should hold element 0 is not an array"},
		"an index from the end":          {"$.list[-1].a", "only .name, ['name'] and [0] are known here"},
		"a wildcard":                     {"$.list[*].a", "only .name, ['name'] and [0] are known here"},
		"a wildcard after a dot":         {"$.*", "only .name, ['name'] and [0] are known here"},
		"a descendant":                   {"$..a", "only .name, ['name'] and [0] are known here"},
		"a filter":                       {"$.list[?(@.a==1)]", "only .name, ['name'] and [0] are known here"},
		"a function":                     {"$.list.length()", "only .name, ['name'] and [0] are known here"},
		"a slice":                        {"$.list[0:1]", "only .name, ['name'] and [0] are known here"},
		"a union":                        {"$['a','list']", "only .name, ['name'] and [0] are known here"},
		"double quotes":                  {`$["a"]`, "only .name, ['name'] and [0] are known here"},
		"an escaped quote":               {`$['a\'b']`, "only .name, ['name'] and [0] are known here"},
		"an open bracket":                {"$['a", "only .name, ['name'] and [0] are known here"},
		"an empty name":                  {"$['']", "only .name, ['name'] and [0] are known here"},
		"a dot at the end":               {"$.a.", "only .name, ['name'] and [0] are known here"},
		"a hyphen without quotes":        {"$.watched.UDP-Lite", "only .name, ['name'] and [0] are known here"},
		"a digit at the start of a name": {"$.1a", "only .name, ['name'] and [0] are known here"},
		"a space":                        {"$ .a", "only .name, ['name'] and [0] are known here"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := jsonpath.Get(decode(t), test.path)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func FuzzGet(f *testing.F) {
	f.Add("$.a.b")
	f.Add("$['a'].b")
	f.Add("$.list[0].a")
	f.Add("$.watched['UDP-Lite'].size")

	f.Fuzz(func(t *testing.T, path string) {
		value, err := jsonpath.Get(decode(t), path)
		require.NotEqual(t, err == nil, value == nil, "either a value or an error")
	})
}

func decode(t *testing.T) any {
	t.Helper()

	var decoded any
	require.NoError(t, json.Unmarshal([]byte(document), &decoded))

	return decoded
}
