package keys

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/config"
)

const readme = "../../README.md"

// TestReadmeTablesAreCurrent fails when a key or an option was changed and `make docs` was not run.
func TestReadmeTablesAreCurrent(t *testing.T) {
	t.Parallel()

	current, err := os.ReadFile(readme)
	require.NoError(t, err)

	want := string(current)
	for name, generated := range map[string]string{
		"item keys": keyTable(), "permissions": permissionTable(), "options": optionTable(), "site options": namedOptionTable(config.SiteOptions()),
		"nginx options": namedOptionTable(config.NginxOptions()),
	} {
		want = replaceGenerated(t, want, name, generated)
	}

	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(want), 0o644))

		return
	}

	require.Equal(t, want, string(current), "the README is stale; run `make docs`")
}

// replaceGenerated puts text between the two comments that mark a generated part.
func replaceGenerated(t *testing.T, document, name, text string) string {
	t.Helper()

	begin, end := fmt.Sprintf("<!-- generated: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->", name)

	before, rest, ok := strings.Cut(document, begin)
	require.True(t, ok, "the README lacks %q", begin)

	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "the README lacks %q", end)

	return before + begin + text + end + after
}

func keyTable() string {
	var text strings.Builder

	text.WriteString("| item key | value | parameters |\n|---|---|---|\n")

	for _, k := range All() {
		var parameters []string
		for _, p := range k.Parameters {
			parameters = append(parameters, fmt.Sprintf("`%s`: %s; %s; default `%s`", p.Name, p.Description, p.Allowed, p.Default))
		}

		value := string(k.Result)
		if k.Unit != "" {
			value += " (" + k.Unit + ")"
		}

		fmt.Fprintf(&text, "| `%s` | %s. %s | %s |\n",
			k.Usage(), value, k.Description, strings.Join(parameters, "<br>"))
	}

	return text.String()
}

// permissionTable says which key needs what, and who does it.
func permissionTable() string {
	var text strings.Builder

	text.WriteString("| item key | what of it is for root | verb of the helper | without the helper |\n|---|---|---|---|\n")

	for _, k := range All() {
		if p := k.Permission; p.Needs != "" {
			fmt.Fprintf(&text, "| `%s` | %s | `%s` | %s |\n", k.Name, p.Needs, p.Verb, p.Without)
		} else {
			fmt.Fprintf(&text, "| `%s` | nothing | | |\n", k.Name)
		}
	}

	return text.String()
}

func optionTable() string {
	var text strings.Builder

	text.WriteString("| option | default | allowed | meaning |\n|---|---|---|---|\n")

	for _, o := range config.All() {
		fmt.Fprintf(&text, "| `Plugins.%s.%s` | `%s` | %s | %s |\n", config.Section, o.Name, o.Default, o.Allowed, o.Meaning())
	}

	return text.String()
}

func namedOptionTable[T any](options []config.NamedOption[T]) string {
	var text strings.Builder

	text.WriteString("| option | default | allowed | meaning |\n|---|---|---|---|\n")

	for _, o := range options {
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", o.Name, o.Default, o.Allowed, o.Description)
	}

	return text.String()
}
