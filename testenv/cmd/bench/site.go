package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

const (
	siteProbes   = 100
	siteInterval = 200 * time.Millisecond
	sitePatience = time.Minute
)

// measureSite has a plugin probe one site as often as it probes in 8 minutes by default, while the agent asks for it each second.
func (f *figures) measureSite(version zabbixagent.Version, plugin string) (err error) {
	server, err := badsite.Start(badsite.OK())
	if err != nil {
		return err
	}
	defer server.Close()

	a, err := zabbixagent.Start(zabbixagent.Options{Version: version, Plugin: plugin, Lines: []string{
		"Plugins.Hosting.Sites.page.URL=" + server.URL(),
		"Plugins.Hosting.Sites.page.Interval=" + siteInterval.String(),
	}})
	if err != nil {
		return err
	}

	defer func() { err = errors.Join(err, a.Stop()) }()

	if err := awaitProbes(a); err != nil {
		return err
	}

	state, err := pluginState(a)
	if err != nil {
		return err
	}

	f.add(fmt.Sprintf("agent %s: worker's RSS with one site, after %d probes", version, siteProbes), megabytes(state.RSSBytes), 15, "MB")

	return nil
}

// awaitProbes asks for the site until it has been probed often enough.
func awaitProbes(a *zabbixagent.Agent) error {
	var report site.Report

	for deadline := time.Now().Add(sitePatience); report.OK < siteProbes; {
		if report.Failed+report.NotTested > 0 || time.Now().After(deadline) {
			return fmt.Errorf("cannot have the plugin probe a page: %d probes were ok, %d were not: %+v; look at the agent's log",
				report.OK, report.Failed+report.NotTested, report.Last)
		}

		time.Sleep(time.Second)

		value, err := a.Get("hosting.site.get[page]")
		if err != nil {
			return err
		}

		if err := json.Unmarshal([]byte(value), &report); err != nil {
			return fmt.Errorf("cannot read hosting.site.get: %w", err)
		}
	}

	return nil
}
