package e2e

import (
	"strings"
	"time"
)

// The hand-written templates. Their other forms have the same names in other folders, or an ending.
const (
	memoryFile = "linux_kernel_memory_by_zabbix_agent2.yaml"
	nginxFile  = "nginx_configuration_safety_by_zabbix_agent2.yaml"
	pluginFile = "hosting_plugin_by_zabbix_agent2.yaml"
	siteFile   = "hosting_test_site_by_zabbix_agent2.yaml"
	fleetFile  = "hosting_fleet.yaml"
)

// Severities of triggers.
const (
	info    = 1
	warning = 2
	average = 3
	high    = 4
)

// scenario is how one trigger gets its problem, and no other does, and loses it: all is well for a while, then there is a fault for a while, and all is well again.
// Values say when they were taken, and triggers look at that: nothing of it passes but what the clock field says.
type scenario struct {
	// trigger is its name on the host without the template's prefix.
	trigger string
	// ofHost is set for a trigger of the host in a template whose other triggers are of what is discovered.
	ofHost bool
	// good and bad are what the plugin says without and with the fault: good changes what the plugin says of a healthy host, bad changes that.
	good, bad []change
	// macros are those of the host.
	macros map[string]string
	// The event's name after the trigger's, and its operational data match event and opData, regular expressions.
	event, opData string
	severity      int

	clock clock
	// silent is the only key that falls silent where clock is silence, every one where it is empty.
	silent string
	// well, ill and after are how long the parts last, step from one value to the next; see withDefaults.
	well, ill, after, step time.Duration
	// ago is how long before now the last value with the fault was taken. Only where clock is server.
	ago time.Duration
	// ahead is by how much the host's clock differs from the server's.
	ahead time.Duration
}

// clock is by what a trigger goes.
type clock int

const (
	// values is the time that the values say, as of all functions but those below.
	values clock = iota
	// server is the server's own clock, by which it computes calculated items.
	server
	// silence is the server's own, too: the fault is that no value comes any more.
	silence
)

func (c scenario) withDefaults() scenario {
	for _, field := range []struct {
		value   *time.Duration
		instead time.Duration
	}{{&c.well, 20 * time.Minute}, {&c.ill, 10 * time.Minute}, {&c.after, 20 * time.Minute}, {&c.step, time.Minute}} {
		if *field.value == 0 {
			*field.value = field.instead
		}
	}
	return c
}

// value is what the plugin answers to a key at a moment of the scenario.
func (c scenario) value(key string, at moment, changes ...change) (string, error) {
	all := make([]change, 0, len(healthy)+len(c.good)+len(changes))
	all = append(append(append(all, healthy...), c.good...), changes...)
	return payload(key, at, all...)
}

// concerns tells whether the fault changes what the plugin says to a key. Of the others one value does.
func (c scenario) concerns(key string) bool {
	for _, list := range [...][]change{c.good, c.bad} {
		for _, one := range list {
			if one.key == bare(key) {
				return true
			}
		}
	}
	return false
}

// tables are the scenarios of each template by their names.
var tables = map[string]map[string]scenario{
	memoryFile: memoryScenarios, nginxFile: nginxScenarios, pluginFile: pluginScenarios, siteFile: siteScenarios,
}

// prefixes are what the names of a template's triggers begin with.
var prefixes = map[string]string{
	memoryFile: "Linux kernel memory: ", nginxFile: "Nginx configuration: /etc/nginx/nginx.conf: ", pluginFile: "Hosting plugin: ", siteFile: "Hosting test site: shop: ",
}

// hostPrefixes are those of the triggers that are not of what is discovered, in templates that have both.
var hostPrefixes = map[string]string{nginxFile: "Nginx configuration: ", siteFile: "Hosting test site: "}

// fleetTriggers are those that go through the fleet's own stages, as they look at many hosts.
var fleetTriggers = []string{
	"Hosting fleet: Availability over 1h is low", "Hosting fleet: Availability over 5m is low", "Hosting fleet: Availability over 5m is very low",
	"Hosting fleet: Group has no hosts", "Hosting fleet: Many helpers cannot be used", "Hosting fleet: Many hosts give no data",
	"Hosting fleet: Many nginx would not load their configuration",
}

// prefixOf is what the trigger's name on the host begins with.
func prefixOf(template string, c scenario) string {
	if c.ofHost {
		return hostPrefixes[template]
	}
	return prefixes[template]
}

// watching is a watch of listeners that misses nothing.
var watching = map[string]any{"state": 1, "state_name": "watching", "blind_s": 0}

// discoveredNames are what is discovered in the scenarios.
var discoveredNames = strings.NewReplacer("{#SITE}", "shop", "{#INSTANCE}", "/etc/nginx/nginx.conf", "{#CACHE}", "filp")

// healthy makes golden values those of a host where nothing is wrong.
var healthy = []change{
	{"hosting.plugin.get", "helper.state", 1},
	{"hosting.plugin.get", "helper.version", "1.2.3"},
	{"hosting.listener.get", "foreigners", []any{}},
	{"hosting.site.get", "requests", line{1000, 12, 12, 12}},
	{"hosting.site.get", "ok", line{990, 12, 12, 12}},
	{"hosting.oom.get", "kills", 0},
	{"hosting.oom.get", "last_victim", nil},
	{"hosting.oom.get", "victims", []any{}},
	{"hosting.oom.get", "units", []any{}},
	{"hosting.oom.get", "units_oom_killed", 0},
	{"hosting.nginx.discovery", "", []any{map[string]any{
		"{#INSTANCE}": "/etc/nginx/nginx.conf", "{#CONFIG}": "/etc/nginx/nginx.conf", "{#BINARY}": "/usr/sbin/nginx", "{#PRODUCT}": "nginx/1.22.1",
		"{#TRUSTED}": "1", "{#CONTAINER}": "0",
	}}},
	{"hosting.nginx.config", "state", 0},
	{"hosting.nginx.config", "sentence", ""},
	{"hosting.nginx.config", "errors", []any{}},
	{"hosting.nginx.config", "warnings", []any{}},
	{"hosting.nginx.config", "reload_pending", false},
	{"hosting.nginx.config", "reload_pending_s", 0},
	{"hosting.nginx.config", "hazard", 0},
	{"hosting.nginx.config", "hazard_severity", 0},
	{"hosting.nginx.config", "hazards", []any{}},
	{"hosting.nginx.config", "side_effects", []any{}},
	{"hosting.nginx.config", "side_effects_total", 0},
	{"hosting.nginx.config", "foreigners", []any{}},
	{"hosting.nginx.config", "problems", []any{}},
	{eventsKey, "foreigners", []any{}},
	{eventsKey, "lost", 0},
	{eventsKey, "tcp", watching},
	{eventsKey, "udp", watching},
	{ownersKey, "state", 2},
	{ownersKey, "age_s", 9000},
	{leaksKey, "objects", 0},
}

// thief is a process that listens where nginx does.
var thief = []any{map[string]any{
	"relation_name": "same_address",
	"sentence":      "1 of the 5 sockets on 0.0.0.0:80 are not nginx's: the kernel gives them about 20 % of the new connections",
	"processes":     []any{map[string]any{"name": "python3", "pid": 4711, "unit": "session-7.scope"}},
}}

const thiefEvent = `python3 \(PID 4711, session-7\.scope\): 1 of the 5 sockets on 0\.0\.0\.0:80 are not nginx's`
