package keys

import (
	"context"
	"net/netip"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/site"
)

// suspicion is how far a failure and a foreign listener may lie apart to belong together.
const suspicion = time.Second

// SiteReport is the value of hosting.site.get.
type SiteReport struct {
	*site.Report

	Evidence []SiteFailure `json:"evidence"`
}

// SiteFailure is a failure of a site, with who took the connection where that is known.
type SiteFailure struct {
	*site.Result

	// Foreigner listened on the port of nginx at that time, and does not belong to it.
	Foreigner *watch.Event `json:"foreigner,omitempty"`
}

// withForeigners names who may have reset connections. What the watch does not know, or cannot be asked, is left out.
func (c *Checks) withForeigners(ctx context.Context, report *site.Report) SiteReport {
	named := SiteReport{Report: report, Evidence: make([]SiteFailure, len(report.Evidence))}
	resets := false

	for i, failure := range report.Evidence {
		named.Evidence[i].Result = failure
		resets = resets || isReset(failure)
	}

	if !resets {
		return named
	}

	events, err := c.ListenerEvents(ctx)
	if err != nil {
		return named
	}

	for i := range named.Evidence {
		if failure := named.Evidence[i].Result; isReset(failure) {
			named.Evidence[i].Foreigner = foreignerOf(failure, events.Foreigners)
		}
	}

	return named
}

// isReset tells the failures that another process on the port makes.
func isReset(r *site.Result) bool {
	return r.Reason == site.ReasonResetBeforeRequestSent || r.Reason == site.ReasonResetBeforeResponse
}

// foreignerOf is the newest foreigner that listened on the failure's port while it happened, or within a second of it.
func foreignerOf(failure *site.Result, foreigners []watch.Event) *watch.Event {
	remote, err := netip.ParseAddrPort(failure.Remote)
	if err != nil {
		return nil
	}

	begun := float64(failure.At) - suspicion.Seconds()
	// The start is told in whole seconds.
	ended := float64(failure.At) + 1 + failure.TotalS + suspicion.Seconds()

	for i := range foreigners {
		f := &foreigners[i]
		if f.Network != listener.TCP || f.Address.Port() != remote.Port() || f.OpenedAt > ended {
			continue
		}

		if f.Listening || f.LifetimeS != nil && f.OpenedAt+*f.LifetimeS >= begun {
			return f
		}
	}

	return nil
}
