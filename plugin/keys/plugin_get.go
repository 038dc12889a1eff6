package keys

import (
	"context"
	"os"
	"runtime"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/plugin/agent"
)

// PluginReport is the value of hosting.plugin.get.
type PluginReport struct {
	Schema          int                   `json:"schema"`
	Version         string                `json:"version"`
	AgentProtocol   string                `json:"agent_protocol"`
	StartedAt       float64               `json:"started_at"`
	UptimeS         float64               `json:"uptime_s"`
	PID             int                   `json:"pid"`
	RSSBytes        uint64                `json:"rss_bytes"`
	Goroutines      int                   `json:"goroutines"`
	Link            LinkReport            `json:"link"`
	WorkerRestarts  int                   `json:"worker_restarts"`
	LastWorkerDeath string                `json:"last_worker_death"`
	Exports         ExportsReport         `json:"exports"`
	RecoveredPanics uint64                `json:"recovered_panics"`
	Helper          HelperReport          `json:"helper"`
	Checks          map[Check]CheckHealth `json:"checks"`
}

// LinkReport describes the process that the agent started.
type LinkReport struct {
	PID       int     `json:"pid"`
	RSSBytes  uint64  `json:"rss_bytes"`
	StartedAt float64 `json:"started_at"`
	UptimeS   float64 `json:"uptime_s"`
}

// ExportsReport counts the item requests of the worker since its start.
type ExportsReport struct {
	Served   uint64 `json:"served"`
	Failed   uint64 `json:"failed"`
	InFlight int    `json:"in_flight"`
	Refused  uint64 `json:"refused"`
	TimedOut uint64 `json:"timed_out"`
}

func evaluatePlugin(ctx context.Context, c *Checks, _ map[string]string) (any, error) {
	status := c.process.Status()

	report := newPluginReport(status, time.Now())
	report.Version = c.version
	report.PID = os.Getpid()
	report.RSSBytes = procfile.RSS(report.PID)
	report.Goroutines = runtime.NumGoroutine()
	report.Link.RSSBytes = procfile.RSS(status.Link.PID)
	report.Helper = c.helperReport(ctx)
	report.Checks = c.health.snapshot()

	return report, nil
}

func newPluginReport(status agent.Status, now time.Time) PluginReport {
	return PluginReport{
		Schema:          1,
		AgentProtocol:   status.AgentProtocol,
		StartedAt:       unixSeconds(status.StartedAt),
		UptimeS:         uptime(status.StartedAt, now),
		WorkerRestarts:  status.Link.WorkerRestarts,
		LastWorkerDeath: status.Link.LastWorkerDeath,
		RecoveredPanics: status.RecoveredPanics,
		Link: LinkReport{
			PID:       status.Link.PID,
			StartedAt: unixSeconds(status.Link.StartedAt),
			UptimeS:   uptime(status.Link.StartedAt, now),
		},
		Exports: ExportsReport{
			Served:   status.ServedTotal,
			Failed:   status.FailedTotal,
			InFlight: status.InFlight,
			Refused:  status.RefusedTotal,
			TimedOut: status.TimedOutTotal,
		},
	}
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}

	return float64(t.UnixMilli()) / 1000
}

func uptime(start, now time.Time) float64 {
	if start.IsZero() {
		return 0
	}

	return float64(now.Sub(start).Milliseconds()) / 1000
}
