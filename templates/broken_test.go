package templates_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/contract"
	"zabbix-agent2-plugin-hosting/templates/export"
)

// Each broken template differs in one place from the real one, so that a check which cannot fail is found out.
func TestBrokenTemplatesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]breakage{
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
		"a trigger that may miss its text":       {"kmem.owners.first))>0", "kmem.owners.first))>=0", `goes by a number that may come before "kmem.owners.first"`},
		"a trigger without scope":                {"        - tag: scope\n", "        - tag: area\n", "has no tag scope"},
		"an item without component":              {"            - tag: component\n              value: oom", "            - tag: part\n              value: oom", "has no tag component"},
		"a template without class":               {"        - tag: class", "        - tag: kind", "has no tag class"},
		"a graph of a lost item":                 {"            key: kmem.percpu\n", "            key: kmem.cpu\n", `there is no item "kmem.cpu"`},
		"a widget of a lost graph":               {"                        name: 'Linux kernel memory: Slab'", "                        name: 'Linux kernel memory: Slabs'", `there is no GRAPH "Linux kernel memory: Slabs"`},
		"a widget outside the grid":              {"                  x: '60'", "                  x: '63'", "leaves the grid of 72 columns"},
		"widgets that cover each other":          {"                  x: '60'", "                  x: '57'", "cover each other"},
	}

	requireEachCaught(t, kernelMemory, tests)
}

// breakage is a change of a template and what must be said of it.
type breakage struct{ old, broken, want string }

func requireEachCaught(t *testing.T, file string, tests map[string]breakage) {
	t.Helper()

	good := read(t, filepath.Join("7.0", file))

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, good, test)
		})
	}
}

func requireCaught(t *testing.T, good string, test breakage) {
	t.Helper()

	broken := strings.Replace(good, test.old, test.broken, 1)
	require.True(t, broken != good, "the template no longer has the text that this test breaks")
	require.Contains(t, strings.Join(contract.Check(parse(t, broken), golden(), handWritten(t)...), "\n"), test.want)
}

// What the template of test sites has and the other has not: master items and calculated items for each discovered object, and scripts.
func TestBrokenPrototypesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]breakage{
		"a discovered key that the plugin lacks":   {"key: 'hosting.site.get[\"{#SITE}\"]'\n              history", "key: 'hosting.site.all[\"{#SITE}\"]'\n              history", "the plugin has no key hosting.site.all"},
		"a discovered key without its parameter":   {"key: 'hosting.site.get[\"{#SITE}\"]'\n              history", "key: hosting.site.get\n              history", "item hosting.site.get: "},
		"a discovered master item that stores":     {"history: '0'", "history: 7d", "stores its raw value"},
		"a script on a member that is not there":   {"return report.failed -", "return report.failures -", `there is no "failures"`},
		"a script on a text":                       {"return report.failed -", "return report.site -", "of report.site is no number"},
		"a script that takes nothing":              {"return report.failed - report.started_at * 1000000;", "return value;", "takes nothing from report"},
		"an element that is not there":             {"- '$.evidence[0].sentence'", "- '$.evidence[9].sentence'", "there is no element 9"},
		"a flag that is not there":                 {"return report.foreigners_known ?", "return report.foreigners_sure ?", `there is no "foreigners_sure"`},
		"a calculation over a lost item":           {"params: '(100*sum(//site.ok.new[", "params: '(100*sum(//site.ok.fresh[", `there is no item "site.ok.fresh[\"{#SITE}\"]"`},
		"a calculation over another host":          {"params: '(100*sum(//site.ok.new[", "params: '(100*sum(/web1/site.ok.new[", `of "web1"`},
		"a calculation over a mistyped item":       {"params: '(100*sum(//site.ok.new[", "params: '(100*sum(/site.ok.new[", "an item is not written (//key)"},
		"a reason that the code does not know":     {"newvalue: truncated", "newvalue: cut", "value map Hosting site reason is"},
		"a trigger over several items, one lost":   {"and last(/Hosting test site by Zabbix agent 2/site.answered.5m[", "and last(/Hosting test site by Zabbix agent 2/site.asked.5m[", `there is no item "site.asked.5m[\"{#SITE}\"]"`},
		"a prototype that all objects share":       {"name: '{#SITE}: Last success'", "name: 'Last success'", "has no discovery macro in its key and name"},
		"a recovery that Zabbix would not look at": {"recovery_mode: RECOVERY_EXPRESSION\n", "recovery_mode: EXPRESSION\n", "need each other"},
		"a trigger that goes by two clocks":        {"and last(/Hosting test site by Zabbix agent 2/site.answered.5m[", "and last(/Hosting test site by Zabbix agent 2/site.requests[", "looks at items of two clocks"},
		"a trigger that reckons from now":          {"expression: 'last(/Hosting test site by Zabbix agent 2/site.certificate.days[\"{#SITE}\"])<", "expression: 'last(/Hosting test site by Zabbix agent 2/site.certificate.days[\"{#SITE}\"])-now()<", "compares with now(): let the plugin tell an age"},
		"a name of a process that customers see": {
			"(at least {$SITE.FAILURES.MAX.CRIT:", "(at least {?last(//site.foreigners)} {$SITE.FAILURES.MAX.CRIT:", `customers see it, and "site.foreigners" may name what is not theirs`,
		},
		"data of a process that customers see": {
			"expression: 'last(/Hosting test site by Zabbix agent 2/site.certificate.days[\"{#SITE}\"])<",
			"expression: 'length(last(/Hosting test site by Zabbix agent 2/site.evidence.foreigner[\"{#SITE}\"]))>0 and last(/Hosting test site by Zabbix agent 2/site.certificate.days[\"{#SITE}\"])<",
			`customers see it, and "site.evidence.foreigner[\"{#SITE}\"]" may name`,
		},
		"every problem of an item that customers see":    {"- tag: component\n              value: listeners", "- tag: audience\n              value: customer", "item site.foreigners: the tag audience is for triggers"},
		"every problem of a template that customers see": {"- tag: class\n", "- tag: audience\n          value: customer\n        - tag: class\n", "template Hosting test site by Zabbix agent 2: the tag audience is for triggers"},
		"a dependency on a trigger that is renamed":      {"- name: 'Hosting test site: {#SITE}: Is down'", "- name: 'Hosting test site: {#SITE}: Down'", "which is no trigger here"},
	}

	requireEachCaught(t, testSite, tests)
}

// What the template of nginx has and the others have not: scripts that take arrays and text, and triggers that look for names.
func TestBrokenScriptsAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]breakage{
		"an array that is not there":               {"report.hazards.map(", "report.dangers.map(", `there is no "dangers"`},
		"a method of what is no array":             {"report.problems.join(", "report.tests.join(", "takes the golden value 41 of report.tests for an array"},
		"the length of what is no array":           {"report.errors.length;", "report.tests.length;", "takes the golden value 41 of report.tests for an array"},
		"an array that is taken for text":          {"report.errors[0].file === ''", "report.errors === ''", "of report.errors for a number, text or flag"},
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
		"a state of the watch that the code lacks": {"newvalue: polling", "newvalue: looking", "value map Hosting watch state is"},
		"a watch that is not there":                {"report.udp.reason === undefined", "report.sctp.reason === undefined", `item nginx.events.reason: cannot follow $.sctp.reason: there is no "sctp"`},
		"a relation of a foreigner of the watch":   {"concern.relation_name !==", "concern.relation_text !==", `item nginx.events.foreigner: cannot follow $.relation_text: there is no "relation_text"`},
	}

	requireEachCaught(t, nginxSafety, tests)
}

// The states of the plugin's checks and of its helper, which triggers know by their numbers.
func TestBrokenStatesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		file string
		breakage
	}{
		"a state of a check that the code lacks":      {plugin, breakage{"newvalue: no_permission", "newvalue: denied", "value map Hosting check state is"}},
		"a state of the helper that the code lacks":   {plugin, breakage{"newvalue: version_mismatch", "newvalue: too_old", "value map Hosting helper state is"}},
		"the helper's error under another name":       {plugin, breakage{"- $.helper.error", "- $.helper.why", `item plugin.helper.error: cannot follow $.helper.why`}},
		"a state of a unit that the code lacks":       {nginxSafety, breakage{"newvalue: activating", "newvalue: starting", "value map Hosting unit state is"}},
		"a result of a unit that the code lacks":      {nginxSafety, breakage{"newvalue: oom-kill", "newvalue: oom_kill", "value map Hosting unit result is"}},
		"the facts of a unit under another name":      {nginxSafety, breakage{"- $.unit_state.restarts", "- $.unit.restarts", `item nginx.unit.restarts["{#INSTANCE}"]: cannot follow $.unit.restarts`}},
		"a script on a fact that a unit has not":      {kernelMemory, breakage{"unit.result_name ===", "unit.outcome ===", `item kmem.units.oom_killed.names: cannot follow $.outcome`}},
		"a question for units that are not there":     {kernelMemory, breakage{"report.units === undefined", "report.services === undefined", `there is no "services"`}},
		"a state of a session that the code lacks":    {kernelMemory, breakage{"newvalue: cut_short", "newvalue: cut", "value map Hosting slab owner state is"}},
		"an owner's bytes by another name":            {kernelMemory, breakage{"- '$.owners[0].bytes'", "- '$.owners[0].size'", "item kmem.owners.bytes: cannot follow $.owners[0].size"}},
		"units that are charged for slab, elsewhere":  {kernelMemory, breakage{"- '$.cgroups.units[0].name'", "- '$.units[0].name'", "item kmem.cgroup.name: cannot follow $.units[0].name"}},
		"a leak without its code path":                {kernelMemory, breakage{"group.stack.filter(", "group.frames.filter(", `item kmem.leaks.first: cannot follow $.frames: there is no "frames"`}},
		"a reset without the foreigner":               {testSite, breakage{"failure.foreigner !==", "failure.process !==", `item site.evidence.foreigner["{#SITE}"]: cannot follow $.process: there is no "process"`}},
		"the number of stopped units by another name": {kernelMemory, breakage{"- $.units_oom_killed", "- $.oom_killed", "item kmem.units.oom_killed: cannot follow $.oom_killed"}},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, read(t, filepath.Join("7.0", test.file)), test.breakage)
		})
	}
}

// What the template of the fleet has and the others have not: calculations over the items of other hosts.
func TestBrokenAggregatesAreCaught(t *testing.T) {
	t.Parallel()

	tests := map[string]breakage{
		"an item that no host has":            {"/*/site.ok.new[*]", "/*/site.ok.fresh[*]", `no other template has an item "site.ok.fresh[*]"`},
		"parameters of an item that has none": {"/*/plugin.uptime?", "/*/plugin.uptime[*]?", `no other template has an item "plugin.uptime[*]"`},
		"no parameters of an item with some":  {"/*/site.requests[*]", "/*/site.requests", `no other template has an item "site.requests"`},
		"hosts of any group":                  {"/*/plugin.uptime?[group=\"{$FLEET.GROUP}\"]", "/*/plugin.uptime", "plugin.uptime of every host of the server is meant"},
		"one host's item":                     {"/*/kmem.sunreclaim.pct?", "/web1/kmem.sunreclaim.pct?", `there is no item "kmem.sunreclaim.pct" of "web1"`},
		"its own item, which it has not":      {"/*/kmem.sunreclaim.pct?", "//kmem.sunreclaim.pct?", `there is no item "kmem.sunreclaim.pct" of ""`},
		"a group that is no macro of its own": {"{$FLEET.GROUP}", "{$FLEET.GROUPS}", "macro {$FLEET.GROUPS} is used"},
	}

	requireEachCaught(t, fleet, tests)
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
