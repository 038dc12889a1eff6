package templates_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates"
	"zabbix-agent2-plugin-hosting/templates/export"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()

	generated, err := templates.Generate(".")
	require.NoError(t, err)

	for name, content := range generated {
		require.True(t, string(content) == read(t, name), "%s is stale: go run ./templates/cmd/generate", name)
	}

	for _, path := range append(files(t, "7.0"), files(t, "6.0")...) {
		require.True(t, slices.Contains(sources(t), path) || generated[path] != nil, "%s is made of no 7.0 template: remove it", path)
	}
}

func sources(t *testing.T) []string {
	t.Helper()

	found, err := templates.Sources(".")
	require.NoError(t, err)

	return found
}

// The converter is not asked in the next two tests: what differs besides its known differences is its mistake.

func TestVersionsDifferOnlyWhereTheyMust(t *testing.T) {
	t.Parallel()

	for _, path := range files(t, "7.0") {
		newer, older := parse(t, read(t, path)), parse(t, read(t, filepath.Join("6.0", filepath.Base(path))))
		require.Equal(t, "7.0", newer.Version)
		require.Equal(t, "6.0", older.Version)
		require.Equal(t, newer.TemplateGroups, older.Groups)
		require.Equal(t, common(newer), common(older))
	}
}

func TestActiveFormsDifferOnlyInTypesAndIdentities(t *testing.T) {
	t.Parallel()

	for _, path := range sources(t) {
		for _, version := range []string{"7.0", "6.0"} {
			name := filepath.Base(path)
			passive := anonymous(read(t, filepath.Join(version, name)))
			require.Zero(t, asked(parse(t, passive), export.ActiveCheck))

			activePath := filepath.Join(version, strings.TrimSuffix(name, ".yaml")+"_active.yaml")
			if asked(parse(t, passive), export.PassiveCheck) == 0 {
				require.NoFileExists(t, activePath, "it asks the agent nothing, so its forms would be the same")

				continue
			}

			active := anonymous(read(t, activePath))
			require.Zero(t, asked(parse(t, active), export.PassiveCheck))
			require.Equal(t, withoutRoot(parse(t, passive)), withoutRoot(passiveAgain(t, active)))
		}
	}
}

var uuidLine = regexp.MustCompile(`(?m)^( *(?:- )?uuid): \S+$`)

// anonymous returns a template with all UUIDs alike.
func anonymous(text string) string {
	return uuidLine.ReplaceAllString(text, "$1: same")
}

// passiveAgain takes back what an active form has of its own.
func passiveAgain(t *testing.T, active string) *export.File {
	t.Helper()

	active = strings.ReplaceAll(active, " by Zabbix agent 2 active", " by Zabbix agent 2")

	return parse(t, regexp.MustCompile(`(?m)^ *type: ZABBIX_ACTIVE\n`).ReplaceAllString(active, ""))
}

// asked counts the items and discovery rules of a type.
func asked(file *export.File, kind string) int {
	var n int

	for _, template := range file.Templates {
		all := slices.Clone(template.Items)

		for _, rule := range template.DiscoveryRules {
			all = append(append(all, export.Item{Type: rule.Type}), rule.ItemPrototypes...)
		}

		n += len(slices.DeleteFunc(all, func(item export.Item) bool { return item.Type != kind }))
	}

	return n
}

// withoutRoot returns what is compared of a file: all but the text that it was read from.
func withoutRoot(file *export.File) export.File {
	return export.File{
		Version: file.Version, Groups: file.Groups, TemplateGroups: file.TemplateGroups,
		Templates: file.Templates, Triggers: file.Triggers, Graphs: file.Graphs,
	}
}

// Zabbix does not link two templates with the same item key to one host.
func TestTemplatesOnOneHostShareNoKey(t *testing.T) {
	t.Parallel()

	owners := make(map[string]string)

	for _, path := range sources(t) {
		for _, template := range parse(t, read(t, path)).Templates {
			all := slices.Clone(template.Items)
			for _, rule := range template.DiscoveryRules {
				all = append(append(all, export.Item{Key: rule.Key}), rule.ItemPrototypes...)
			}

			for _, item := range all {
				require.Empty(t, owners[item.Key], "item %s of %s is in that template, too", item.Key, template.Name)
				owners[item.Key] = template.Name
			}
		}
	}
}

// common returns what both versions must have alike.
func common(file *export.File) export.File {
	shared := export.File{Templates: slices.Clone(file.Templates), Triggers: file.Triggers, Graphs: file.Graphs}

	for i := range shared.Templates {
		shared.Templates[i].Vendor = export.Vendor{}
		shared.Templates[i].Dashboards = nil
		spellOutDefaults(shared.Templates[i].Items)

		for j := range shared.Templates[i].DiscoveryRules {
			rule := &shared.Templates[i].DiscoveryRules[j]
			rule.Lifetime, rule.EnabledLifetimeType = "7d", ""
			spellOutDefaults(rule.ItemPrototypes)
		}
	}

	return shared
}

func spellOutDefaults(items []export.Item) {
	for i := range items {
		if items[i].History == "" {
			items[i].History = "31d"
		}

		for j, step := range items[i].Preprocessing {
			if step.Type == "CHECK_NOT_SUPPORTED" && slices.Equal(step.Parameters, []string{"-1"}) {
				items[i].Preprocessing[j].Parameters = []string{""} // any error, which is all that 6.0 knows
			}
		}
	}
}
