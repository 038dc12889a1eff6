package templates_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/templates"
	"zabbix-agent2-plugin-hosting/templates/contract"
	"zabbix-agent2-plugin-hosting/templates/export"
)

const (
	kernelMemory = "linux_kernel_memory_by_zabbix_agent2.yaml"
	nginxSafety  = "nginx_configuration_safety_by_zabbix_agent2.yaml"
	plugin       = "hosting_plugin_by_zabbix_agent2.yaml"
	testSite     = "hosting_test_site_by_zabbix_agent2.yaml"
)

// eventful holds values that the plugin's own tests lack: of a site with successes and failures, and of an nginx with
// everything that can be wrong with one.
const eventful = "testdata/golden"

// goldenValues finds a value of each item key in the first of the folders that has it.
type goldenValues []fs.FS

func (g goldenValues) Open(name string) (fs.File, error) {
	var (
		file fs.File
		err  error
	)

	for _, folder := range g {
		if file, err = folder.Open(name); err == nil {
			return file, nil
		}
	}

	return nil, err
}

func golden() fs.FS {
	return goldenValues{os.DirFS(eventful), os.DirFS("../plugin/keys/testdata/golden")}
}

// The values are written by hand, so they are held to what the code can say.
func TestEventfulValuesAreWhatTheCodeReports(t *testing.T) {
	t.Parallel()

	requireReported[site.Report](t, "hosting.site.get.json")
	requireReported[nginx.Report](t, "hosting.nginx.config.json")
}

func requireReported[R any](t *testing.T, name string) {
	t.Helper()

	written := read(t, filepath.Join(eventful, name))

	var report R

	require.NoError(t, json.Unmarshal([]byte(written), &report))

	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	require.JSONEq(t, written, string(encoded))
}

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
		"a parameter too many":                   {"key: hosting.memory.get", "key: 'hosting.memory.get[x]'", "item hosting.memory.get[x]: "},
		"a parameter out of range":               {"      value: '10'\n          description: 'How many", "      value: '0'\n          description: 'How many", "item hosting.slab.get[{$KMEM.SLAB.TOP},size]: "},
		"an unknown sort order":                  {"key: 'hosting.slab.top[{$KMEM.SLAB.TOP},size]'", "key: 'hosting.slab.top[{$KMEM.SLAB.TOP},name]'", "item hosting.slab.top[{$KMEM.SLAB.TOP},name]: "},
		"a key without its bracket":              {"key: hosting.memory.get", "key: 'hosting.memory.get['", "item hosting.memory.get[: "},
		"a path to a member that is not there":   {"- $.sunreclaim_pct", "- $.sunreclaim_percent", `item kmem.sunreclaim.pct: cannot follow $.sunreclaim_percent`},
		"a path into every cache":                {"- '$.watched[''{#CACHE}''].objects'", "- '$.watched[*].objects'", "cannot read the path"},
		"a path to a value of another type":      {"- $.last_victim.name", "- $.last_victim.pid", `item kmem.oom.victim.name: the golden value`},
		"a fraction for a whole number":          {"- $.caches", "- $.unattributed_pct", "item kmem.slab.caches: the golden value"},
		"a flag that is none":                    {"- $.victims_known", "- $.kills", "item kmem.oom.victims.known: the golden value"},
		"an item without its path":               {"            - type: JSONPATH\n              parameters:\n                - $.caches", "            - type: TRIM\n              parameters:\n                - ' '", "item kmem.slab.caches does not begin with a JSONPath"},
		"a master item that is not there":        {"          master_item:\n            key: hosting.memory.get", "          master_item:\n            key: hosting.memory.all", `there is no master item "hosting.memory.all"`},
		"a master item that stores":              {"key: hosting.memory.get\n          history: '0'", "key: hosting.memory.get\n          history: 7d", "master item hosting.memory.get stores its raw value"},
		"an undefined macro":                     {"{$KMEM.NODATA.MEMORY})=1'", "{$KMEM.NODATA})=1'", "macro {$KMEM.NODATA} is used"},
		"a misspelled macro":                     {"{$KMEM.NODATA.MEMORY})=1'", "{$KMEM.nodata})=1'", "a user macro is misspelled"},
		"a macro without description":            {"description: 'Warn when kernel memory gave no value for this long.'", "description: ''", "macro {$KMEM.NODATA.MEMORY} has no description"},
		"a macro that nothing uses":              {"      macros:\n", "      macros:\n        - macro: '{$KMEM.OLD}'\n          value: '1'\n          description: Old.\n", "macro {$KMEM.OLD} is defined and not used"},
		"a discovery macro that never comes":     {"name: 'Cache {#CACHE}: Size'", "name: 'Cache {#NAME}: Size'", "macro {#NAME} comes with no discovery"},
		"the same UUID twice":                    {"uuid: e4f2ace118a14381aec6f756b9ef74e8", "uuid: a32d816f2cc54ad5ba5acad4ace25844", "is that of"},
		"a UUID that is not version 4":           {"uuid: e4f2ace118a14381aec6f756b9ef74e8", "uuid: e4f2ace118a11381aec6f756b9ef74e8", "is not version 4"},
		"a value map that is not there":          {"            name: 'Hosting yes or no'", "            name: 'Hosting maybe'", "there is no value map Hosting maybe"},
		"a value map of no enum":                 {"name: 'Hosting yes or no'\n          mappings", "name: 'Hosting maybe'\n          mappings", "value map Hosting maybe stands for no enum"},
		"a trigger on an item that is not there": {"kmem.unexplained.pct,15m)>", "kmem.unexplained.part,15m)>", `there is no item "kmem.unexplained.part"`},
		"a trigger on another template":          {"expression: 'min(/Linux kernel memory and slab by Zabbix agent 2/kmem.unexplained.pct", "expression: 'min(/Linux/kmem.unexplained.pct", `there is no template "Linux"`},
		"an event name with a lost item":         {"{?last(//kmem.slab.fastest.name)}", "{?last(//kmem.slab.fastest)}", `there is no item "kmem.slab.fastest"`},
		"a dependency with another expression":   {"nodata(/Linux kernel memory and slab by Zabbix agent 2/kmem.sunreclaim.pct,{$KMEM.NODATA.MEMORY})=1'\n              name", "nodata(/Linux kernel memory and slab by Zabbix agent 2/kmem.sunreclaim.pct,5m)=1'\n              name", "which is no trigger here with that expression"},
		"a value in a trigger's name":            {"name: 'Linux kernel memory: OOM victims cannot be named'", "name: 'Linux kernel memory: OOM victims cannot be named on {HOST.NAME}'", "values belong in opdata"},
		"a name without the prefix":              {"name: 'Linux kernel memory: OOM victims cannot be named'", "name: 'OOM victims cannot be named'", "names must begin with"},
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
			requireCaught(t, good, test.old, test.broken, test.want)
		})
	}
}

func requireCaught(t *testing.T, good, old, replacement, want string) {
	t.Helper()

	broken := strings.Replace(good, old, replacement, 1)
	require.True(t, broken != good, "the template no longer has the text that this test breaks")
	require.Contains(t, strings.Join(contract.Check(parse(t, broken), golden()), "\n"), want)
}

// What the template of test sites has and the other has not: master items and calculated items for each discovered object, and scripts.
func TestBrokenPrototypesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ old, broken, want string }{
		"a discovered key that the plugin lacks":    {"key: 'hosting.site.get[\"{#SITE}\"]'\n              history", "key: 'hosting.site.all[\"{#SITE}\"]'\n              history", "the plugin has no key hosting.site.all"},
		"a discovered key without its parameter":    {"key: 'hosting.site.get[\"{#SITE}\"]'\n              history", "key: hosting.site.get\n              history", "item hosting.site.get: "},
		"a discovered master item that stores":      {"history: '0'", "history: 7d", "stores its raw value"},
		"a script on a member that is not there":    {"return report.failed -", "return report.failures -", `there is no "failures"`},
		"a script on a text":                        {"return report.failed -", "return report.site -", "of report.site is no number"},
		"a script that takes nothing":               {"return report.failed - report.started_at * 1000000;", "return value;", "takes nothing from report"},
		"an element that is not there":              {"- '$.evidence[0].sentence'", "- '$.evidence[9].sentence'", "there is no element 9"},
		"a calculation over a lost item":            {"params: '(100*sum(//site.ok.new[", "params: '(100*sum(//site.ok.fresh[", `there is no item "site.ok.fresh[\"{#SITE}\"]"`},
		"a calculation over another host":           {"params: '(100*sum(//site.ok.new[", "params: '(100*sum(/web1/site.ok.new[", `of "web1"`},
		"a calculation over a mistyped item":        {"params: '(100*sum(//site.ok.new[", "params: '(100*sum(/site.ok.new[", "an item is not written (//key)"},
		"a reason that the code does not know":      {"newvalue: truncated", "newvalue: cut", "value map Hosting site reason is"},
		"a trigger over several items, one lost":    {"and sum(/Hosting test site by Zabbix agent 2/site.ok.new[", "and sum(/Hosting test site by Zabbix agent 2/site.ok.fresh[", `there is no item "site.ok.fresh[\"{#SITE}\"]"`},
		"a dependency on a trigger that is renamed": {"- name: 'Hosting test site: {#SITE}: Is down'", "- name: 'Hosting test site: {#SITE}: Down'", "which is no trigger here"},
	}

	good := read(t, filepath.Join("7.0", testSite))

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, good, test.old, test.broken, test.want)
		})
	}
}

// A listener that takes nobody's clients must not raise an alarm.
func TestScriptsKnowWhichListenersTakeClients(t *testing.T) {
	t.Parallel()

	text := read(t, filepath.Join("7.0", nginxSafety))
	name := listener.RelationLessSpecific.String()
	require.Equal(t, 2, strings.Count(text, "foreigner.relation_name !== '"+name+"'"), "the count and the sentences")
	require.Equal(t, 1, strings.Count(text, "foreigner.relation_name === '"+name+"'"), "the count of those that wait")
}

// What the template of nginx has and the others have not: scripts that take arrays and text, and triggers that look for names.
func TestBrokenScriptsAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ old, broken, want string }{
		"an array that is not there":               {"report.hazards.map(", "report.dangers.map(", `there is no "dangers"`},
		"a method of what is no array":             {"report.problems.join(", "report.tests.join(", "takes the golden value 41 of report.tests for an array"},
		"the length of what is no array":           {"report.errors.length;", "report.tests.length;", "takes the golden value 41 of report.tests for an array"},
		"an array that is taken for text":          {"report.errors[0].file === ''", "report.errors === ''", "of report.errors for a number or text"},
		"an element without the member":            {"return effect.sentence;", "return effect.text;", `item nginx.side_effects.sentences["{#INSTANCE}"]: cannot follow $.text: there is no "text"`},
		"an element of an element":                 {"holder.pid", "holder.id", `there is no "id"`},
		"JavaScript that Zabbix lacks":             {"function (effect) { return effect.sentence; }", "effect => effect.sentence", "Zabbix does not understand =>"},
		"a question for a member that never comes": {"report.test === undefined", "report.tested === undefined", `there is no "tested"`},
		"a hazard that the code lacks":             {`"like","now:plain_test_scheduled"`, `"like","now:plain_test_planned"`, `looks for "plain_test_planned", which no value map has`},
		"one of several hazards that lacks":        {"|udp_test_steals_datagrams|", "|udp_test_steals|", `looks for "udp_test_steals", which no value map has`},
		"a widget that finds no item":              {"value: '*: Configuration state'", "value: '*: Configuration States'", `there is no STRING "*: Configuration States"`},
		"a severity that the code lacks":           {`"general:(`, `"common:(`, `looks for "common", which no value map has`},
		"a severity's name that is another":        {"newvalue: general", "newvalue: common", "value map Hosting nginx hazard severity is"},
		"a state that the code lacks":              {"newvalue: unsafe_refused", "newvalue: refused", "value map Hosting nginx state is"},
		"a technique that the code lacks":          {"newvalue: trace", "newvalue: traced", "value map Hosting nginx technique is"},
		"a hazard's name that is another":          {"newvalue: test_would_open_ports", "newvalue: opens_ports", "value map Hosting nginx hazard is"},
	}

	good := read(t, filepath.Join("7.0", nginxSafety))

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, good, test.old, test.broken, test.want)
		})
	}
}

// The states of the plugin's checks and of its helper, which triggers know by their numbers.
func TestBrokenStatesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ file, old, broken, want string }{
		"a state of a check that the code lacks":      {plugin, "newvalue: no_permission", "newvalue: denied", "value map Hosting check state is"},
		"a state of the helper that the code lacks":   {plugin, "newvalue: version_mismatch", "newvalue: too_old", "value map Hosting helper state is"},
		"the helper's error under another name":       {plugin, "- $.helper.error", "- $.helper.why", `item plugin.helper.error: cannot follow $.helper.why`},
		"a state of a unit that the code lacks":       {nginxSafety, "newvalue: activating", "newvalue: starting", "value map Hosting unit state is"},
		"a result of a unit that the code lacks":      {nginxSafety, "newvalue: oom-kill", "newvalue: oom_kill", "value map Hosting unit result is"},
		"the facts of a unit under another name":      {nginxSafety, "- $.unit_state.restarts", "- $.unit.restarts", `item nginx.unit.restarts["{#INSTANCE}"]: cannot follow $.unit.restarts`},
		"a script on a fact that a unit has not":      {kernelMemory, "unit.result_name ===", "unit.outcome ===", `item kmem.units.oom_killed.names: cannot follow $.outcome`},
		"a question for units that are not there":     {kernelMemory, "report.units === undefined", "report.services === undefined", `there is no "services"`},
		"the number of stopped units by another name": {kernelMemory, "- $.units_oom_killed", "- $.oom_killed", "item kmem.units.oom_killed: cannot follow $.oom_killed"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, read(t, filepath.Join("7.0", test.file)), test.old, test.broken, test.want)
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
