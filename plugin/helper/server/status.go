package server

import (
	"os"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/plugin/helper"
)

func (s *Server) status() helper.Status {
	now := time.Now()
	status := helper.Status{
		Schema: 1, Version: s.options.Version, PID: os.Getpid(), StartedAt: float64(s.started.UnixMilli()) / 1000,
		UptimeS: now.Sub(s.started).Seconds(), RSSBytes: procfile.RSS(os.Getpid()), Running: len(s.root.slots) + len(s.others.slots),
		Requests: s.requests.Load(), Failures: s.failures.Load(), Shared: s.sharedRequests.Load(),
	}

	if err := s.options.Configuration; err != nil {
		status.ConfigurationError = err.Error()
	}

	status.Connections, status.Refused, status.Dropped = s.peers.counts()

	return status
}
