package e2e

import "time"

const siteKey = "hosting.site.get"

// evidence is how the event of a failing site ends: with why it failed last.
const evidence = `: the connection to 127\.0\.0\.1:443 was reset after the request was sent`

// What the event of a reset says: who took the connection, and who may take the next.
const (
	unseen    = `who took the connection was not seen; now `
	nginxTest = `process nginx \(4711: nginx -t\), started by sh \(4710\) by zabbix_agentd \(600\), listened on 0\.0\.0\.0:443 for 0\.5 ms beside nginx \(master 812\); now `
	nobodyNow = `no other process is seen to take clients of nginx$`
)

// resetThenTimeout are the newest failures of a site, of which one is a reset.
var resetThenTimeout = []any{
	map[string]any{"at": 946684030, "reason": 12, "reason_name": "response_timeout", "sentence": "no answer within 10 s"},
	map[string]any{"at": 946684005, "reason": 10, "reason_name": "reset_before_response", "sentence": "the connection was reset"},
	map[string]any{
		"at": 946684000, "reason": 10, "reason_name": "reset_before_response", "sentence": "the connection was reset", "foreigner": map[string]any{
			"sentence": "process nginx (4711: nginx -t), started by sh (4710) by zabbix_agentd (600), listened on 0.0.0.0:443 for 0.5 ms beside nginx (master 812)",
		},
	},
}

// quickly makes an availability be good again as soon as it is for 3 s.
var quickly = map[string]string{"{$SITE.AVAILABILITY.RECOVERY}": "3s"}

// answers are requests a minute: those that went well before the fault, and of each kind during it. After it so many go well that they outweigh all.
func answers(before, ok, failed float64) []change {
	return []change{
		{siteKey, "requests", line{1000, before, ok + failed, 100_000}},
		{siteKey, "ok", line{990, before, ok, 100_000}},
		{siteKey, "failed", line{8, 0, failed, 0}},
	}
}

var siteScenarios = map[string]scenario{
	"the certificate ends in 3 days": {
		trigger: "Certificate expires very soon or has expired",
		bad:     []change{{siteKey, "certificate_days", 3}},
		event:   `^ \(in less than 7 days\)$`, opData: `^Days left: 3 d$`, severity: high,
	},
	"the certificate ends in 14 days": {
		trigger: "Certificate expires soon",
		bad:     []change{{siteKey, "certificate_days", 14.5}},
		event:   `^ \(in less than 21 days\)$`, opData: `^Days left: 14\.5 d$`, severity: warning,
	},
	"seven requests in a row fail": {
		trigger: "Is down",
		bad:     []change{{siteKey, "consecutive_failures", 7}},
		event:   `^ \(at least 6 failures in a row\)` + evidence, opData: `^Failures in a row: 7$`, severity: high,
	},
	"requests start late": {
		trigger: "Probes start late",
		good:    []change{{siteKey, "late", line{ill: 5}}},
		event:   `^ \(over 30 in 15m\)$`, opData: `^In the last minute: 5$`, severity: warning,
	},
	"requests cannot be made": {
		trigger: "Cannot be tested",
		good:    []change{{siteKey, "not_tested", line{from: 2, ill: 2}}},
		event:   `^ \(over 2 times in 5m\)` + evidence, opData: `^In the last minute: 2$`, severity: warning,
	},
	"requests are skipped, as earlier ones go on": {
		trigger: "Probes are skipped",
		good:    []change{{siteKey, "overlapping", line{ill: 5}}},
		event:   `^ \(over 30 in 15m\)$`, opData: `^In the last minute: 5$`, severity: warning,
	},
	"the site has no values": {
		trigger: "No data", clock: silence, macros: map[string]string{"{$SITE.NODATA}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning,
	},
	"nothing is requested any more": {
		trigger: "Is not requested",
		good: []change{
			{siteKey, "requests", line{1000, 12, 0, 12}},
			{siteKey, "ok", line{990, 12, 0, 12}},
		},
		event: `^ \(for 15m\)$`, opData: `^$`, severity: warning, ill: 20 * time.Minute,
	},
	"another process takes the web server's clients": {
		trigger: "Connections reset before the response",
		// Who listens is asked apart from how the site fares: a thief that comes before the first reset is named in the event, a later one only in the operational data.
		good:  []change{{siteKey, "reasons.reset_before_response", since{before: 8, after: line{from: 7, ill: 1}, minute: 2}}, {siteKey, "evidence.0.foreigner", nil}},
		bad:   []change{{"hosting.listener.get", "foreigners", thief}},
		event: `^ \(over 0 in 15m\): ` + unseen + thiefEvent, opData: `^In the last minute: 1\. ` + unseen + thiefEvent, severity: average,
	},
	"an ordinary test of the configuration takes the web server's clients for a moment": {
		trigger: "Connections reset before the response",
		good:    []change{{siteKey, "reasons.reset_before_response", since{before: 8, after: line{from: 7, ill: 1}}}},
		event:   `^ \(over 0 in 15m\): ` + nginxTest + nobodyNow, opData: `^In the last minute: 1\. ` + nginxTest + nobodyNow, severity: average,
	},
	"a failure of another kind follows the reset": {
		trigger: "Connections reset before the response",
		good:    []change{{siteKey, "reasons.reset_before_response", since{before: 8, after: line{from: 7, ill: 1}}}, {siteKey, "evidence", resetThenTimeout}},
		event:   `^ \(over 0 in 15m\): ` + nginxTest + nobodyNow, opData: `^In the last minute: 1\. ` + nginxTest + nobodyNow, severity: average,
	},
	"the newest failures are no resets, for there were too many": {
		trigger: "Connections reset before the response",
		good:    []change{{siteKey, "reasons.reset_before_response", since{before: 8, after: line{from: 7, ill: 1}}}, {siteKey, "evidence", []any{}}},
		event:   `^ \(over 0 in 15m\): ; now no other`, opData: `^In the last minute: 1\. ; now no other`, severity: average,
	},
	"the plugin has no values": {
		trigger: "No data from the plugin", ofHost: true, clock: silence, macros: map[string]string{"{$SITE.NODATA.PLUGIN}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning,
	},
	"pages take 4 s": {
		trigger: "Is slow",
		bad:     []change{{siteKey, "windows.5m.ok.total.p90_s", 4.25}},
		event:   `^ \(p90 over 3 for 5m\)$`, opData: `^p90: 4s 250ms$`, severity: warning,
	},
	"most requests of 5 minutes fail": {
		trigger: "Availability over 5m is very low", clock: server, macros: quickly, well: 50 * time.Minute, ill: time.Minute,
		good:  answers(120, 0, 110),
		event: `^ \(below 90%\)` + evidence, opData: `^Availability: \d\d(\.\d+)? %$`, severity: high,
	},
	"some requests of 5 minutes fail": {
		trigger: "Availability over 5m is low", clock: server, macros: quickly, well: 50 * time.Minute, ill: time.Minute,
		good:  answers(120, 0, 25),
		event: `^ \(below 98%\)` + evidence, opData: `^Availability: 9\d(\.\d+)? %$`, severity: warning,
	},
	// It is told of the hour only while some requests still fail: after an outage there is nothing to do any more.
	"most requests of an hour failed, and some do": {
		trigger: "Availability over 1h is very low", clock: server, macros: quickly, ill: 6 * time.Minute,
		good: []change{
			{siteKey, "requests", line{1000, 120, 101, 100_000}}, {siteKey, "ok", line{990, 60, 100, 100_000}}, {siteKey, "failed", line{8, 60, 1, 0}},
		},
		event: `^ \(below 90%\)` + evidence, opData: `^Availability: \d\d(\.\d+)? %$`, severity: average,
	},
	"some requests of an hour failed, and some do": {
		trigger: "Availability over 1h is low", clock: server, macros: quickly, ill: 6 * time.Minute,
		good: []change{
			{siteKey, "requests", line{1000, 120, 101, 100_000}}, {siteKey, "ok", line{990, 114, 100, 100_000}}, {siteKey, "failed", line{8, 6, 1, 0}},
		},
		event: `^ \(below 98%\)` + evidence, opData: `^Availability: 9\d(\.\d+)? %$`, severity: warning,
	},
}
