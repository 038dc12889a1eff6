package e2e

import "time"

const siteKey = "hosting.site.get"

// evidence is how the event of a failing site ends: with why it failed last.
const evidence = `: the connection to 127\.0\.0\.1:443 was reset after the request was sent`

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
		good:  []change{{siteKey, "reasons.reset_before_response", since{before: 8, after: line{from: 7, ill: 1}, minute: 2}}},
		bad:   []change{{"hosting.listener.get", "foreigners", thief}, {siteKey, "evidence.0.foreigner", nil}},
		event: `^ \(over 0 in 15m\): ` + thiefEvent, opData: `^In the last minute: 1\. ` + thiefEvent, severity: average,
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
	"most requests of an hour fail": {
		trigger: "Availability over 1h is very low", clock: server, macros: quickly, ago: 6 * time.Minute,
		good:  answers(12, 0, 120),
		event: `^ \(below 90%\)` + evidence, opData: `^Availability: \d\d(\.\d+)? %$`, severity: average,
	},
	"some requests of an hour fail": {
		trigger: "Availability over 1h is low", clock: server, macros: quickly, ago: 6 * time.Minute,
		good:  answers(120, 120, 15),
		event: `^ \(below 98%\)` + evidence, opData: `^Availability: 9\d(\.\d+)? %$`, severity: warning,
	},
}
