package e2e

import "time"

const (
	nginxKey  = "hosting.nginx.config"
	eventsKey = "hosting.listener.events"
)

// notWatched is a watch that is off, or misses listeners that live for less than blind.
func notWatched(state int, blind float64, reason string) []change {
	watch := map[string]any{"state": state, "reason": reason, "blind_s": blind}
	return []change{{eventsKey, "tcp", watch}, {eventsKey, "udp", watch}}
}

// passing is a process that opened nginx's port for half a millisecond.
var passing = []any{map[string]any{
	"number": 41, "opened_at": 946684000.005, "lifetime_s": 0.0005, "network": "tcp", "address": "0.0.0.0:443", "foreign": true,
	"concerns": []any{map[string]any{"master_pid": 812, "relation_name": "same_address"}},
	"sentence": "process nginx (4711: nginx -t), started by sh (4710) by zabbix_agentd (600), listened on 0.0.0.0:443 for 0.5 ms beside nginx",
}}

// state is the result of a test of the configuration.
func state(number int, sentence string) []change {
	return []change{{nginxKey, "state", number}, {nginxKey, "sentence", sentence}}
}

// hazard is what an ordinary test of the configuration would do, or whether it would come.
func hazard(severity, name, sentence string) []change {
	return []change{{nginxKey, "hazards", []any{
		map[string]any{"severity_name": severity, "name": name, "sentence": sentence, "where": "/etc/nginx/sites-enabled/shop.conf:3"},
	}}}
}

const inShop = ` \(/etc/nginx/sites-enabled/shop\.conf:3\)$`

var nginxScenarios = map[string]scenario{
	"a process opens nginx's port for half a millisecond": {
		trigger: "A process that is not nginx opened nginx's port", ofHost: true,
		good:  []change{{eventsKey, "foreigners", since{before: []any{}, after: passing}}},
		event: `^: process nginx \(4711: nginx -t\), started by sh \(4710\) by zabbix_agentd \(600\), listened on 0\.0\.0\.0:443 for 0\.5 ms`, opData: `^process nginx`, severity: high,
		step: 5 * time.Minute, after: wellAfter,
	},
	"the watch of listeners cannot keep up": {
		trigger: "Listener watch lost events", ofHost: true,
		good:  []change{{eventsKey, "lost", line{from: 3, ill: 1}}},
		event: `^ \(in the last 1h\)$`, opData: `^Lost since the last poll: \d+$`, severity: warning,
		step: 5 * time.Minute, after: wellAfter,
	},
	"nobody watches listeners": {
		trigger: "Listeners are not watched", ofHost: true,
		bad:   notWatched(0, 0, "the watch has not been started"),
		event: `^ \(for 15m\): the watch has not been started$`, opData: `^$`, severity: warning, ill: 20 * time.Minute,
	},
	"the kernel does not tell of listeners": {
		trigger: "Listeners are only polled", ofHost: true,
		bad:   notWatched(2, 1, "operation not permitted without CAP_BPF"),
		event: `^ \(for 15m\): operation not permitted without CAP_BPF$`, opData: `^operation not permitted without CAP_BPF$`, severity: info, ill: 20 * time.Minute,
	},
	"the program was replaced and nginx not restarted": {
		trigger: "Runs a program that was replaced",
		bad:     []change{{nginxKey, "binary_replaced", true}},
		event:   `^ \(for 1h\)$`, opData: `^$`, severity: info,
		step: 5 * time.Minute, ill: wellAfter,
	},
	"another process listens on nginx's port": {
		trigger: "Another process takes its clients",
		bad:     []change{{nginxKey, "foreigners", thief}},
		event:   `^: ` + thiefEvent, opData: `^Foreign listeners: 1$`, severity: high,
	},
	"cron runs a test that takes clients": {
		trigger: "Ordinary test is dangerous and scheduled",
		bad:     hazard("now", "plain_test_scheduled", "a cron job runs nginx -t"),
		event:   `^: a cron job runs nginx -t` + inShop, opData: `^Hazards: now:plain_test_scheduled$`, severity: average,
	},
	"a test would take clients": {
		trigger: "Ordinary test is dangerous",
		bad:     hazard("now", "reuseport_test_steals_connections", "an ordinary test resets clients"),
		event:   `^: an ordinary test resets clients` + inShop, opData: `^Hazards: now:reuseport_test_steals_connections$`, severity: warning,
	},
	"a test would take clients if the configuration were another": {
		trigger: "Ordinary test may be dangerous",
		bad:     hazard("general", "udp_test_steals_datagrams", "an ordinary test takes datagrams"),
		event:   `^: an ordinary test takes datagrams` + inShop, opData: `^Hazards: general:udp_test_steals_datagrams$`, severity: info,
	},
	"cron runs a test that does no harm": {
		trigger: "Ordinary test is scheduled",
		bad:     hazard("info", "plain_test_scheduled", "a cron job runs nginx -t"),
		event:   `^: a cron job runs nginx -t` + inShop, opData: `^Hazards: info:plain_test_scheduled$`, severity: info,
	},
	"a dead nginx left its unix socket": {
		trigger: "Would not start on a stale unix socket",
		bad:     hazard("general", "stale_unix_socket", "nobody listens on /run/nginx.sock"),
		event:   `^: nobody listens on /run/nginx\.sock` + inShop, opData: `^Hazards: general:stale_unix_socket$`, severity: warning,
	},
	"nginx is stopped": {
		trigger: "Is not running",
		bad:     []change{{nginxKey, "master", nil}},
		event:   `^ \(for 5m\)$`, opData: `^$`, severity: warning,
	},
	"nginx is restarted": {
		trigger: "Was restarted",
		good:    []change{{nginxKey, "master.pid", since{before: 812, after: 900}}},
		event:   `^ \(in the last 10m\)$`, opData: `^Master PID: 900 pid$`, severity: info, ill: 3 * time.Minute,
	},
	"a file may not be read": {
		trigger: "Something could not be found out",
		bad:     []change{{nginxKey, "problems", []any{"cannot read /etc/sudoers: permission denied; start the helper"}}},
		event:   `^: cannot read /etc/sudoers: permission denied; start the helper$`, opData: `^cannot read /etc/sudoers: permission denied; start the helper$`, severity: info,
	},
	"a change waits for a reload for more than a day": {
		trigger: "Reload is pending",
		bad:     []change{{nginxKey, "reload_pending", true}, {nginxKey, "reload_pending_s", 90000}},
		event:   `^ \(for more than 1d\)$`, opData: `^Pending for: 1d 1h$`, severity: warning,
	},
	"a test takes too long": {
		trigger: "Test timed out",
		bad:     state(4, "the test did not end within 60s"),
		event:   `: the test did not end within 60s$`, opData: `^State: timed_out \(4\)$`, severity: warning,
	},
	"the kernel has nothing to test with": {
		trigger: "Cannot be tested",
		bad:     state(5, "neither seccomp nor ptrace works here"),
		event:   `^ \(for 30m\): neither seccomp nor ptrace works here$`, opData: `^State: not_tested \(5\)$`, severity: warning, ill: 45 * time.Minute,
	},
	"others could have written the configuration": {
		trigger: "Test was refused as unsafe",
		bad:     state(6, "/etc/nginx/nginx.conf belongs to user 1012"),
		event:   `^: /etc/nginx/nginx\.conf belongs to user 1012$`, opData: `^State: unsafe_refused \(6\)$`, severity: warning,
	},
	"nginx warns": {
		trigger: "Has warnings",
		bad: append(state(1, ""), change{nginxKey, "warnings", []any{
			map[string]any{"text": `conflicting server name "shop.example" on 0.0.0.0:80, ignored`, "file": "/etc/nginx/sites-enabled/blog.conf", "line": 4},
		}}),
		event: `^: conflicting server name "shop\.example" on 0\.0\.0\.0:80, ignored in /etc/nginx/sites-enabled/blog\.conf:4$`, opData: `^State: valid_with_warnings \(1\)$`, severity: info,
	},
	"the instance has no values": {
		trigger: "No data", clock: silence, macros: map[string]string{"{$NGINX.NODATA}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning,
	},
	"nothing is told of who listens": {
		trigger: "No data about who listens", ofHost: true, clock: silence, macros: map[string]string{"{$NGINX.WATCH.NODATA}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning,
	},
	"no test was made for hours": {
		trigger: "Result is old",
		bad:     []change{{nginxKey, "test.age_s", 9000}},
		event:   `^ \(more than 2h\)$`, opData: `^Age: 2h 30m$`, severity: warning,
	},
	"systemd starts nginx again": {
		trigger: "Was started again by systemd",
		good:    []change{{nginxKey, "unit_state.restarts", since{before: 2, after: 3}}},
		event:   `^ \(in the last 10m\)$`, opData: `^Restarts: 3$`, severity: warning, ill: 3 * time.Minute,
	},
	"the kernel kills nginx": {
		trigger: "Was stopped by the OOM killer",
		bad:     []change{{nginxKey, "unit_state.active_state", 3}, {nginxKey, "unit_state.result", 6}},
		event:   `^: nginx\.service$`, opData: `^$`, severity: high,
	},
	"nginx's unit fails": {
		trigger: "Unit has failed",
		bad:     []change{{nginxKey, "unit_state.active_state", 3}, {nginxKey, "unit_state.result", 1}},
		event:   `^: nginx\.service$`, opData: `^Result: exit-code \(1\)$`, severity: average,
	},
	"nginx refuses its configuration": {
		trigger: "Is invalid",
		bad:     state(2, `unknown directive "proxy_pas" in /etc/nginx/sites-enabled/shop.conf:12`),
		event:   `^: the next reload or restart fails: unknown directive "proxy_pas" in /etc/nginx/sites-enabled/shop\.conf:12$`,
		opData:  `^unknown directive "proxy_pas" in /etc/nginx/sites-enabled/shop\.conf:12$`, severity: high,
	},
	"a name of the configuration cannot be resolved": {
		trigger: "Environment is wrong",
		bad:     state(3, `host not found in upstream "php.internal" in /etc/nginx/nginx.conf:30`),
		event:   `^: a reload or restart would fail: host not found in upstream "php\.internal" in /etc/nginx/nginx\.conf:30$`,
		opData:  `^host not found in upstream "php\.internal" in /etc/nginx/nginx\.conf:30$`, severity: average,
	},
	"a test makes a file": {
		trigger: "Our own test had a side effect",
		good:    []change{{nginxKey, "side_effects_total", since{before: 0, after: 1}}},
		bad:     []change{{nginxKey, "side_effects", []any{map[string]any{"sentence": "/var/lib/nginx/proxy was created while the configuration was tested"}}}},
		event:   `^: /var/lib/nginx/proxy was created while the configuration was tested$`, opData: `^Of the last test: 1$`, severity: high,
		// The frontend shows no values that are older than a day.
		macros: map[string]string{"{$NGINX.SIDE.EFFECTS.WINDOW}": "6h"}, step: 10 * time.Minute, after: 7 * time.Hour,
	},
}
