package convert_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/convert"
)

func source(t *testing.T) string {
	t.Helper()

	text, err := os.ReadFile("testdata/7.0.yaml")
	require.NoError(t, err)

	return string(text)
}

func TestTemplatesAreConvertedAsAHumanWould(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		golden  string
		convert func(*convert.Template) error
	}{
		"for 6.0":                   {"testdata/6.0.yaml", (*convert.Template).To60},
		"for active checks":         {"testdata/7.0_active.yaml", toActive},
		"for active checks and 6.0": {"testdata/6.0_active.yaml", toActive60},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			want, err := os.ReadFile(test.golden)
			require.NoError(t, err)

			template, err := convert.Read([]byte(source(t)))
			require.NoError(t, err)
			require.NoError(t, test.convert(template))

			got, err := template.Encode("t.yaml")
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		})
	}
}

func toActive(template *convert.Template) error {
	polls, err := template.ToActive()
	if err == nil && !polls {
		err = errors.New("the template asks the agent nothing")
	}

	return err
}

func toActive60(template *convert.Template) error {
	if err := toActive(template); err != nil {
		return err
	}

	return template.To60()
}

func TestATemplateThatAsksNothingHasNoActiveForm(t *testing.T) {
	t.Parallel()

	const calculated = "zabbix_export:\n  version: '7.0'\n  templates:\n    - template: T\n      items:\n        - key: t.sum\n          type: CALCULATED\n"

	template, err := convert.Read([]byte(calculated))
	require.NoError(t, err)

	polls, err := template.ToActive()
	require.NoError(t, err)
	require.False(t, polls)
}

func TestToActiveRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()

	broken := strings.Replace(source(t), "type: DEPENDENT", "type: HTTP_AGENT", 1)

	template, err := convert.Read([]byte(broken))
	require.NoError(t, err)

	_, err = template.ToActive()
	require.EqualError(t, err, "cannot make the template active: nobody said how item t.number of type HTTP_AGENT would be")
}

func TestTo60RefusesWhatOnly70Has(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ old, broken, want string }{
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

			good := source(t)
			broken := strings.Replace(good, test.old, test.broken, 1)
			require.NotEqual(t, good, broken)

			template, err := convert.Read([]byte(broken))
			require.NoError(t, err)
			require.ErrorContains(t, template.To60(), test.want)
		})
	}
}

func TestReadRefusesWhatIsNo70Template(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ text, want string }{
		"an empty file":        {"", "cannot read the 7.0 template: the file is empty"},
		"text that is no YAML": {"zabbix_export: [", "cannot read the 7.0 template: "},
		"a list":               {"- a", `cannot convert a template of version "": only 7.0 is known`},
		"another version":      {"zabbix_export:\n  version: '7.2'\n", `cannot convert a template of version "7.2": only 7.0 is known`},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := convert.Read([]byte(test.text))
			require.ErrorContains(t, err, test.want)
		})
	}
}
