package convert_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/convert"
)

func TestTo60(t *testing.T) {
	t.Parallel()

	source, err := os.ReadFile("testdata/7.0.yaml")
	require.NoError(t, err)

	want, err := os.ReadFile("testdata/6.0.yaml")
	require.NoError(t, err)

	got, err := convert.To60(source)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestTo60RefusesWhatOnly70Has(t *testing.T) {
	t.Parallel()

	source, err := os.ReadFile("testdata/7.0.yaml")
	require.NoError(t, err)

	tests := map[string]struct{ old, broken, want string }{
		"another version":            {"version: '7.0'", "version: '7.2'", `cannot convert a template of version "7.2"`},
		"text that is no YAML":       {"zabbix_export:", "zabbix_export: [", "cannot read the 7.0 template"},
		"a browser item":             {"type: DEPENDENT", "type: BROWSER", "item t.number: 6.0 has no browser items"},
		"a binary value":             {"value_type: TEXT", "value_type: BINARY", "item hosting.memory.get: 6.0 has no browser items, binary values"},
		"an item timeout":            {"delay: 10m", "timeout: 10s", "item hosting.slab.top: 6.0 has no browser items, binary values and item timeouts"},
		"a step that 6.0 lacks":      {"type: JSONPATH", "type: SNMP_GET_VALUE", "item t.number: 6.0 has no preprocessing step SNMP_GET_VALUE"},
		"a chosen error to catch":    {"- '-1'", "- '0'", "CHECK_NOT_SUPPORTED of 6.0 catches any error"},
		"an error that 6.0 keeps":    {"type: JSONPATH", "type: JAVASCRIPT", "item t.number: JAVASCRIPT of 6.0 has no error handler"},
		"a prototype's step":         {"- '$.watched[''{#CACHE}''].objects'", "- x\n                - type: SNMP_WALK_VALUE", "item t.objects[{#CACHE}]: 6.0 has no"},
		"an endless lifetime":        {"enabled_lifetime_type: DISABLE_NEVER", "lifetime_type: DELETE_NEVER", "discovery rule hosting.slab.discovery: 6.0 has no lifetime DELETE_NEVER"},
		"a widget that 6.0 lacks":    {"type: itemhistory", "type: gauge", `no widget of 6.0 is known for "gauge"; known are [graph graphprototype honeycomb item itemhistory problems]`},
		"a widget option unknown":    {"name: show_lines", "name: sortorder", `dashboard Overview: no option of 6.0's PLAIN_TEXT is known for "sortorder"`},
		"a width between columns":    {"width: '36'", "width: '37'", `width 37 of widget "" is no multiple of 3`},
		"a place between columns":    {"x: '36'", "x: '35'", `x 35 of widget "" is no multiple of 3`},
		"something beside a problem": {"width: '72'", "width: '66'", "a problems widget must be 72 columns wide"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			broken := strings.Replace(string(source), test.old, test.broken, 1)
			require.NotEqual(t, string(source), broken)

			_, err := convert.To60([]byte(broken))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestTo60RefusesAnEmptyFile(t *testing.T) {
	t.Parallel()

	_, err := convert.To60(nil)
	require.EqualError(t, err, "cannot read the 7.0 template: the file is empty")
}
