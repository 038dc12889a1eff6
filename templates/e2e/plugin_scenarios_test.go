package e2e

import "time"

const (
	pluginKey = "hosting.plugin.get"
	// wellAfter is how long what a window of an hour has seen must be over.
	wellAfter = 70 * time.Minute
)

// failing is a check of the plugin that fails.
func failing(trigger, check, sentence string) scenario {
	return scenario{
		trigger:  trigger,
		bad:      []change{{pluginKey, "checks." + check + ".state", 2}, {pluginKey, "checks." + check + ".error", sentence}},
		event:    `^ \(for 5m\): ` + sentence + `$`,
		opData:   `^$`,
		severity: warning,
	}
}

// helperIn is a helper that cannot be used, for the reason that its state tells.
func helperIn(state int, sentence string) []change {
	return []change{{pluginKey, "helper.state", state}, {pluginKey, "helper.error", sentence}}
}

var pluginScenarios = map[string]scenario{
	"the memory check fails":   failing("Memory check fails", "memory", "cannot read /proc/meminfo: permission denied"),
	"the listener check fails": failing("Listener check fails", "listener", "cannot list sockets: too many open files"),
	"the nginx check fails":    failing("Nginx check fails", "nginx", "cannot read /proc/812/maps: permission denied"),
	"the OOM check fails":      failing("OOM check fails", "oom", "cannot read /proc/vmstat: permission denied"),
	"the site check fails":     failing("Site check fails", "site", "cannot make a socket: too many open files"),
	"the slab check fails":     failing("Slab check fails", "slab", "cannot read /proc/slabinfo: input/output error"),
	"the plugin may not read slab caches": {
		trigger:  "Slab caches cannot be read",
		bad:      []change{{pluginKey, "checks.slab.state", 3}, {pluginKey, "checks.slab.error", "cannot read /proc/slabinfo: permission denied"}},
		event:    `^: cannot read /proc/slabinfo: permission denied$`,
		opData:   `^$`,
		severity: warning,
	},
	"the helper hangs": {
		trigger:  "Helper does not answer",
		bad:      helperIn(4, "the helper did not answer within 5s"),
		event:    `^ \(for 5m\): the helper did not answer within 5s$`,
		opData:   `^Now: the helper did not answer within 5s$`,
		severity: average,
	},
	"the helper was upgraded without the plugin": {
		trigger:  "Helper is of another version",
		bad:      append(helperIn(5, "the helper is 1.3.0, this is 1.2.3: restart both"), change{pluginKey, "helper.version", "1.3.0"}),
		event:    `^ \(plugin 1\.2\.3, helper 1\.3\.0; for 5m\)$`,
		opData:   `^Now: the helper is 1\.3\.0, this is 1\.2\.3: restart both$`,
		severity: warning,
	},
	"the helper does not trust the agent's user": {
		trigger:  "Helper refuses the agent",
		bad:      helperIn(3, "the helper takes nothing of user 1000"),
		event:    `^ \(for 5m\): the helper takes nothing of user 1000$`,
		opData:   `^Now: the helper takes nothing of user 1000$`,
		severity: warning,
	},
	"the helper was there and is gone": {
		trigger:  "Helper has gone",
		bad:      helperIn(2, "there is no helper"),
		event:    `^ \(it answered in the last 1d\)$`,
		opData:   `^$`,
		severity: warning,
	},
	"the agent restarts again and again": {
		trigger: "Agent restarted repeatedly",
		bad:     nil,
		// Each start is five minutes after the last one.
		good:  []change{{pluginKey, "link.started_at", line{from: 946684800, ill: 60}}},
		event: `^ \(3 times or more in 1h\)$`, opData: `^$`, severity: average,
		step: 5 * time.Minute, ill: 20 * time.Minute, after: wellAfter,
	},
	"a check panics": {
		trigger: "Recovered from a panic",
		good:    []change{{pluginKey, "recovered_panics", since{before: 1, after: 2}}},
		event:   `^ \(in the last 1h\)$`, opData: `^Panics: 2$`, severity: info,
		step: 5 * time.Minute, after: wellAfter,
	},
	"the worker dies once": {
		trigger: "Worker restarted",
		good:    []change{{pluginKey, "worker_restarts", since{before: 1, after: 2}}, {pluginKey, "last_worker_death", since{before: "", after: "signal: killed"}}},
		event:   `^: signal: killed \(in the last 1h\)$`, opData: `^Restarts: 2$`, severity: warning,
		step: 5 * time.Minute, after: wellAfter,
	},
	"the worker dies three times": {
		trigger: "Worker restarted repeatedly",
		good:    []change{{pluginKey, "worker_restarts", since{before: 1, after: 4}}, {pluginKey, "last_worker_death", since{before: "", after: "exit status 2"}}},
		event:   `^ \(3 times or more in 1h\): exit status 2$`, opData: `^Restarts: 4$`, severity: average,
		step: 5 * time.Minute, after: wellAfter,
	},
	"the plugin is silent": {
		trigger: "No data", clock: silence, macros: map[string]string{"{$PLUGIN.NODATA}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: average,
	},
}

// silentFor is what a host has to be silent for in the scenarios, and silentLonger what is to be told later, if at all: the server looks each 30 s.
const (
	silentFor    = "15s"
	silentLonger = "40s"
)
