//go:build e2e

package e2e

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// fault is something that really breaks and is mended.
type fault struct {
	// trigger is its whole name.
	trigger string
	// The event's whole name and its operational data match event and opData, regular expressions.
	event, opData string
	begin, end    func(t *testing.T, h *realHost)
}

// rounds are the faults, of which those of one round are there at the same time.
var rounds = []map[string]fault{
	{
		"the site's server is killed": {
			trigger: "Hosting test site: down: Is down",
			event:   `^Hosting test site: down: Is down \(at least 6 failures in a row\): .*refused`, opData: `^Failures in a row: \d+$`,
			begin: func(t *testing.T, h *realHost) { require.NoError(t, h.sites["down"].Set(badsite.Refused())) },
			end:   func(t *testing.T, h *realHost) { require.NoError(t, h.sites["down"].Set(badsite.OK())) },
		},
		"another listener takes the site's connections and exits": {
			trigger: "Hosting test site: robbed: Connections reset before the response",
			event:   `^Hosting test site: robbed: Connections reset before the response \(over 0 in 5s\): who took the connection was not seen; now (no other process is seen|whether another process takes clients of nginx is not known)`, opData: `^In the last minute: \d+\. who took the connection was not seen; now `,
			begin: func(t *testing.T, h *realHost) { require.NoError(t, h.sites["robbed"].Set(badsite.Stolen())) },
			end:   func(t *testing.T, h *realHost) { require.NoError(t, h.sites["robbed"].Set(badsite.OK())) },
		},
		"the site's certificate has expired": {
			trigger: "Hosting test site: cert: Certificate expires very soon or has expired",
			event:   `^Hosting test site: cert: Certificate expires very soon or has expired \(in less than 7 days\)$`, opData: `^Days left: -\d`,
			begin: func(t *testing.T, h *realHost) {
				require.NoError(t, h.sites["cert"].Set(badsite.ExpiredButNotChecked()))
			},
			end: func(t *testing.T, h *realHost) { require.NoError(t, h.sites["cert"].Set(badsite.OKOverTLS())) },
		},
		"a program leaks sockets": {
			trigger: "Linux kernel memory: SUnreclaim is high",
			event:   `^Linux kernel memory: SUnreclaim is high \(over \d+\.\d+% of RAM for 5m\), fastest growing cache: `, opData: `^SUnreclaim: \d+(\.\d+)? % of RAM$`,
			begin: func(t *testing.T, h *realHost) { h.leak.start(t, h.leakBytes) },
			end:   func(_ *testing.T, h *realHost) { h.leak.end() },
		},
		"an administrator misspells a directive": {
			trigger: "Nginx configuration: web: Is invalid",
			event:   `^Nginx configuration: web: Is invalid: the next reload or restart fails: unknown directive "proxy_pas" in .*nginx\.conf:\d+$`,
			opData:  `^unknown directive "proxy_pas" in .*nginx\.conf:\d+$`,
			begin: func(t *testing.T, h *realHost) {
				require.NoError(t, h.nginx.Configure(nginx.Options{ReusePort: true, Server: []string{"proxy_pas http://127.0.0.1;"}}))
			},
			end: func(t *testing.T, h *realHost) { require.NoError(t, h.nginx.Reload(nginx.Options{ReusePort: true})) },
		},
		"the plugin's worker is killed": {
			trigger: "Hosting plugin: Worker restarted",
			event:   `^Hosting plugin: Worker restarted: signal: killed \(in the last 30s\)$`, opData: `^Restarts: 1$`,
			begin: func(t *testing.T, h *realHost) { h.killWorker(t) },
			end:   func(*testing.T, *realHost) {},
		},
	},
	{
		"a change is not loaded": {
			trigger: "Nginx configuration: web: Reload is pending",
			event:   `^Nginx configuration: web: Reload is pending \(for more than 3s\)$`, opData: `^Pending for: `,
			begin: func(t *testing.T, h *realHost) {
				require.NoError(t, h.nginx.Configure(nginx.Options{ReusePort: true, Server: []string{"location = /new { return 204; }"}}))
			},
			end: func(t *testing.T, h *realHost) { require.NoError(t, h.nginx.Reload(nginx.Options{ReusePort: true})) },
		},
		"another process listens on nginx's port": {
			trigger: "Nginx configuration: web: Another process takes its clients",
			event:   `^Nginx configuration: web: Another process takes its clients: \S+ \(PID ` + strconv.Itoa(os.Getpid()) + `, .*\): .* not nginx's`, opData: `^Foreign listeners: 1$`,
			begin: func(t *testing.T, h *realHost) { h.steal(t) },
			end:   func(t *testing.T, h *realHost) { require.NoError(t, h.thief.Close()) },
		},
	},
	{
		"nginx ends": {
			trigger: "Nginx configuration: web: Is not running",
			event:   `^Nginx configuration: web: Is not running \(for 3s\)$`, opData: `^$`,
			begin: func(t *testing.T, h *realHost) { require.NoError(t, h.nginx.Halt()) },
			end:   func(t *testing.T, h *realHost) { require.NoError(t, h.nginx.Start()) },
		},
	},
}

func TestRealFaultsAreToldWithTheirCauses(t *testing.T) {
	eachVersionUnlessShort(t, func(t *testing.T, s *zabbixserver.Server) {
		h := newRealHost(t, s)
		for _, round := range rounds {
			for _, f := range round {
				_, err := s.API().WaitTrigger(h.id, f.trigger, patience)
				require.NoError(t, err)
			}
		}
		awaitValue(t, s, h.id, `nginx.state["web"]`)
		awaitValue(t, s, h.id, `plugin.restarts`)
		awaitValue(t, s, h.id, `site.resets.new["robbed"]`)
		for _, round := range rounds {
			h.play(t, s, round)
		}
	})
}

// play has all faults of a round begin, and all end when each was told.
func (h *realHost) play(t *testing.T, s *zabbixserver.Server, round map[string]fault) {
	t.Helper()
	begun := time.Now()
	for _, f := range round {
		f.begin(t, h)
	}
	for name, f := range round {
		t.Run(name, func(t *testing.T) {
			problem, _, err := s.API().WaitProblem(h.id, f.trigger, patience)
			require.NoError(t, err)
			t.Logf("%.1f s after the fault: %q, %q", problem.At.Sub(begun).Seconds(), problem.Name, problem.OpData)
			require.Regexp(t, f.event, problem.Name)
			require.Regexp(t, f.opData, problem.OpData)
		})
	}
	mended := time.Now()
	for _, f := range round {
		f.end(t, h)
	}
	for name, f := range round {
		t.Run(name+" no more", func(t *testing.T) {
			_, err := s.API().WaitOK(h.id, f.trigger, patience)
			require.NoError(t, err)
			t.Logf("over at most %.1f s after it was mended", time.Since(mended).Seconds())
		})
	}
}
