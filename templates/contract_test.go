package templates_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates"
	"zabbix-agent2-plugin-hosting/templates/contract"
	"zabbix-agent2-plugin-hosting/templates/export"
)

const kernelMemory = "linux_kernel_memory_by_zabbix_agent2.yaml"

// golden holds a value of each item key, as the plugin's own tests keep it.
func golden() fs.FS { return os.DirFS("../plugin/keys/testdata/golden") }

func files(t *testing.T, version string) []string {
	t.Helper()

	found, err := filepath.Glob(filepath.Join(version, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, found)

	return found
}

func read(t *testing.T, path string) string {
	t.Helper()

	data, err := os.ReadFile(path)
	require.NoError(t, err)

	return string(data)
}

func parse(t *testing.T, text string) *export.File {
	t.Helper()

	file, err := export.Parse([]byte(text))
	require.NoError(t, err)

	return file
}

func TestTemplatesKeepTheirContract(t *testing.T) {
	t.Parallel()

	for _, path := range append(files(t, "7.0"), files(t, "6.0")...) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			require.Empty(t, contract.Check(parse(t, read(t, path)), golden()))
		})
	}
}

func TestUUIDsNeverChange(t *testing.T) {
	t.Parallel()

	want := strings.Split(strings.TrimSpace(read(t, "testdata/uuids.txt")), "\n")

	for _, version := range []string{"7.0", "6.0"} {
		var got []string
		for _, path := range files(t, version) {
			got = append(got, contract.UUIDs(parse(t, read(t, path)))...)
		}

		require.Empty(t, without(want, got), "%s: these are in testdata/uuids.txt; an object keeps its UUID", version)
		require.Empty(t, without(got, want), "%s: new objects; add these lines to testdata/uuids.txt", version)
	}
}

// without returns the lines that are in all and not in known.
func without(all, known []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(line string) bool { return slices.Contains(known, line) })
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()

	generated, err := templates.Generate(".")
	require.NoError(t, err)

	for name, content := range generated {
		require.True(t, string(content) == read(t, name), "%s is stale: go run ./templates/cmd/generate", name)
	}

	for _, path := range files(t, "6.0") {
		require.Contains(t, generated, path, "this 6.0 template has no 7.0 source")
	}
}

// The converter is not asked here: what differs besides its known differences is its mistake.
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
	}
}

// Each broken template differs in one place from the real one, so that a check which cannot fail is found out.
func TestBrokenTemplatesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ old, broken, want string }{
		"a key that the plugin lacks":            {"key: hosting.oom.get", "key: hosting.oom.count", "the plugin has no key hosting.oom.count"},
		"a parameter too many":                   {"key: hosting.plugin.get", "key: 'hosting.plugin.get[x]'", "item hosting.plugin.get[x]: "},
		"a parameter out of range":               {"      value: '10'\n          description: 'How many", "      value: '0'\n          description: 'How many", "item hosting.slab.get[{$KMEM.SLAB.TOP},size]: "},
		"an unknown sort order":                  {"key: 'hosting.slab.top[{$KMEM.SLAB.TOP},size]'", "key: 'hosting.slab.top[{$KMEM.SLAB.TOP},name]'", "item hosting.slab.top[{$KMEM.SLAB.TOP},name]: "},
		"a key without its bracket":              {"key: hosting.plugin.get", "key: 'hosting.plugin.get['", "item hosting.plugin.get[: "},
		"a path to a member that is not there":   {"- $.sunreclaim_pct", "- $.sunreclaim_percent", `item kmem.sunreclaim.pct: cannot follow $.sunreclaim_percent`},
		"a path into every cache":                {"- '$.watched[''{#CACHE}''].objects'", "- '$.watched[*].objects'", "cannot read the path"},
		"a path to a value of another type":      {"- $.version", "- $.uptime_s", `item kmem.plugin.version: the golden value`},
		"a fraction for a whole number":          {"- $.caches", "- $.unattributed_pct", "item kmem.slab.caches: the golden value"},
		"a flag that is none":                    {"- $.victims_known", "- $.kills", "item kmem.oom.victims.known: the golden value"},
		"an item without its path":               {"            - type: JSONPATH\n              parameters:\n                - $.caches", "            - type: TRIM\n              parameters:\n                - ' '", "item kmem.slab.caches does not begin with a JSONPath"},
		"a master item that is not there":        {"          master_item:\n            key: hosting.memory.get", "          master_item:\n            key: hosting.memory.all", `there is no master item "hosting.memory.all"`},
		"a master item that stores":              {"key: hosting.memory.get\n          history: '0'", "key: hosting.memory.get\n          history: 7d", "master item hosting.memory.get stores its raw value"},
		"an undefined macro":                     {"{$KMEM.NODATA.PLUGIN})=1'", "{$KMEM.NODATA})=1'", "macro {$KMEM.NODATA} is used"},
		"a misspelled macro":                     {"{$KMEM.NODATA.PLUGIN})=1'", "{$KMEM.nodata})=1'", "a user macro is misspelled"},
		"a macro without description":            {"description: 'Warn when the plugin gave no value for this long.'", "description: ''", "macro {$KMEM.NODATA.PLUGIN} has no description"},
		"a macro that nothing uses":              {"      macros:\n", "      macros:\n        - macro: '{$KMEM.OLD}'\n          value: '1'\n          description: Old.\n", "macro {$KMEM.OLD} is defined and not used"},
		"a discovery macro that never comes":     {"name: 'Cache {#CACHE}: Size'", "name: 'Cache {#NAME}: Size'", "macro {#NAME} comes with no discovery"},
		"the same UUID twice":                    {"uuid: e4f2ace118a14381aec6f756b9ef74e8", "uuid: a32d816f2cc54ad5ba5acad4ace25844", "is that of"},
		"a UUID that is not version 4":           {"uuid: e4f2ace118a14381aec6f756b9ef74e8", "uuid: e4f2ace118a11381aec6f756b9ef74e8", "is not version 4"},
		"a state that the code does not know":    {"newvalue: no_permission", "newvalue: denied", "value map Hosting check state is"},
		"a value map that is not there":          {"            name: 'Hosting yes or no'", "            name: 'Hosting maybe'", "there is no value map Hosting maybe"},
		"a value map of no enum":                 {"name: 'Hosting yes or no'\n          mappings", "name: 'Hosting maybe'\n          mappings", "value map Hosting maybe stands for no enum"},
		"a trigger on an item that is not there": {"kmem.unexplained.pct,15m)>", "kmem.unexplained.part,15m)>", `there is no item "kmem.unexplained.part"`},
		"a trigger on another template":          {"expression: 'min(/Linux kernel memory and slab by Zabbix agent 2/kmem.unexplained.pct", "expression: 'min(/Linux/kmem.unexplained.pct", `there is no template "Linux"`},
		"an event name with a lost item":         {"{?last(//kmem.slab.fastest.name)}", "{?last(//kmem.slab.fastest)}", `there is no item "kmem.slab.fastest"`},
		"a dependency with another expression":   {"nodata(/Linux kernel memory and slab by Zabbix agent 2/kmem.plugin.rss,{$KMEM.NODATA.PLUGIN})=1'\n              name", "nodata(/Linux kernel memory and slab by Zabbix agent 2/kmem.plugin.rss,5m)=1'\n              name", "which is no trigger here with that expression"},
		"a value in a trigger's name":            {"name: 'Linux kernel memory: OOM check fails'", "name: 'Linux kernel memory: OOM check fails on {HOST.NAME}'", "values belong in opdata"},
		"a name without the prefix":              {"name: 'Linux kernel memory: OOM check fails'", "name: 'OOM check fails'", "names must begin with"},
		"a trigger without scope":                {"        - tag: scope\n", "        - tag: area\n", "has no tag scope"},
		"an item without component":              {"            - tag: component\n              value: oom", "            - tag: part\n              value: oom", "has no tag component"},
		"a template without class":               {"        - tag: class", "        - tag: kind", "has no tag class"},
		"a graph of a lost item":                 {"            key: kmem.percpu\n", "            key: kmem.cpu\n", `there is no item "kmem.cpu"`},
		"a widget of a lost graph":               {"                        name: 'Linux kernel memory: Slab'", "                        name: 'Linux kernel memory: Slabs'", `there is no GRAPH "Linux kernel memory: Slabs"`},
		"a widget outside the grid":              {"                  x: '60'", "                  x: '63'", "leaves the grid of 72 columns"},
		"widgets that cover each other":          {"                  x: '60'", "                  x: '57'", "cover each other"},
	}

	good := read(t, filepath.Join("7.0", kernelMemory))

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			broken := strings.Replace(good, test.old, test.broken, 1)
			require.True(t, broken != good, "the template no longer has the text that this test breaks")

			problems := contract.Check(parse(t, broken), golden())
			require.Contains(t, strings.Join(problems, "\n"), test.want)
		})
	}
}

func TestMisspelledFieldsAreRefused(t *testing.T) {
	t.Parallel()

	broken := strings.Replace(read(t, filepath.Join("7.0", kernelMemory)), "value_type: TEXT", "valuetype: TEXT", 1)
	_, err := export.Parse([]byte(broken))
	require.ErrorContains(t, err, "valuetype")
}

func TestMissingGoldenValuesAreCaught(t *testing.T) {
	t.Parallel()

	problems := contract.Check(parse(t, read(t, filepath.Join("7.0", kernelMemory))), os.DirFS(t.TempDir()))
	require.Contains(t, strings.Join(problems, "\n"), "cannot find a golden value")
}

func TestAChangedUUIDIsCaught(t *testing.T) {
	t.Parallel()

	good := read(t, filepath.Join("7.0", kernelMemory))
	kept := contract.UUIDs(parse(t, good))
	changed := contract.UUIDs(parse(t, strings.Replace(good, "uuid: e4f2ace1", "uuid: e4f2ace2", 1)))

	require.Equal(t, []string{"e4f2ace118a14381aec6f756b9ef74e8 items Boot time"}, without(kept, changed))
	require.Equal(t, []string{"e4f2ace218a14381aec6f756b9ef74e8 items Boot time"}, without(changed, kept))
}
