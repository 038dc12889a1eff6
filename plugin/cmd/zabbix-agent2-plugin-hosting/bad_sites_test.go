package main

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// badSite is a configured site with what a probe must report of it.
type badSite struct {
	lines   []string
	reasons []string
}

func siteLines(name string, options map[string]string) []string {
	var lines []string

	for option, value := range options {
		if value != "" {
			lines = append(lines, "Plugins.Hosting.Sites."+name+"."+option+"="+value)
		}
	}

	return lines
}

func yes(set bool) string {
	if set {
		return "true"
	}

	return ""
}

// badSites starts a server for each behavior that a configuration can ask for: it can have no header of 16 MiB.
func badSites(t *testing.T, authority *badsite.Authority) map[string]badSite {
	t.Helper()

	all := map[string]badSite{}

	for _, b := range badsite.Behaviors() {
		if b.Probe.HeaderBytes > 0 {
			continue
		}

		options := map[string]string{
			"URL": badsite.StartT(t, b, badsite.WithAuthority(authority)).URL(), "Interval": "1s", "Timeout": milliseconds(b.Probe.Timeout),
			"BodyMatch": b.Probe.BodyMatch, "BodyForbid": b.Probe.BodyForbid, "Source": b.Probe.Source, "HTTP2": yes(b.Probe.HTTP2),
		}
		if b.Probe.DistrustAuthority {
			options["VerifyCertificate"] = "false"
		}

		all[b.Name] = badSite{siteLines(b.Name, options), append([]string{b.Reason}, b.Also...)}
	}

	_, port, err := net.SplitHostPort(badsite.StartT(t, badsite.OK()).Addr())
	require.NoError(t, err)

	for _, b := range baddns.Behaviors() {
		name := "dns_" + b.Name
		all[name] = badSite{siteLines(name, map[string]string{
			"URL": "http://" + b.Ask + ":" + port + "/", "Interval": "1s", "Timeout": milliseconds(b.Timeout),
			"Resolver": baddns.StartT(t, b, baddns.Zone{baddns.Name: {netip.MustParseAddr("127.0.0.1")}}).Addr(),
		}), []string{b.Reason}}
	}

	return all
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) + "ms" }
