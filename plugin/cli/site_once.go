package cli

import (
	"context"
	"sync"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/table"
	"zabbix-agent2-plugin-hosting/plugin/terminal"
)

// atOnce bounds how many sites are requested at the same time.
const atOnce = 100

// probeJSON is a single request in JSON.
type probeJSON struct {
	Schema int `json:"schema"`
	table.Probed
}

// probesJSON is a request to each site in JSON.
type probesJSON struct {
	Schema int            `json:"schema"`
	Sites  []table.Probed `json:"sites"`
}

func (a *app) probeSite(s site.Site, asJSON bool) error {
	probed := table.Probed{Site: s.Name, Result: site.NewProber(s.Target).Probe(context.Background())}

	var err error
	if asJSON {
		err = a.printJSON(probeJSON{Schema: 1, Probed: probed})
	} else {
		err = a.print(a.heading(table.Probe(probed.Result)))
	}

	if err != nil {
		return err
	}

	return endOf([]table.Probed{probed})
}

func (a *app) probeSites(sites []site.Site, asJSON bool) error {
	results := probeAll(sites)

	var err error
	if asJSON {
		err = a.printJSON(probesJSON{Schema: 1, Sites: results})
	} else {
		err = a.print(a.heading(table.Probes(results, a.columns(), a.colors())))
	}

	if err != nil {
		return err
	}

	return endOf(results)
}

// probeAll requests each site once and returns the results in the order of the sites.
func probeAll(sites []site.Site) []table.Probed {
	var probes sync.WaitGroup

	results := make([]table.Probed, len(sites))
	places := make(chan struct{}, atOnce)

	for i, s := range sites {
		places <- struct{}{}

		probes.Go(func() {
			results[i] = table.Probed{Site: s.Name, Result: site.NewProber(s.Target).Probe(context.Background())}
			<-places
		})
	}

	probes.Wait()

	return results
}

func endOf(results []table.Probed) error {
	var failed, untested bool

	for _, p := range results {
		failed = failed || p.Reason.Tested() && p.Reason != site.ReasonOK
		untested = untested || !p.Reason.Tested()
	}

	return requestsEnd(failed, untested)
}

// columns is the terminal's width, 0 where there is none.
func (a *app) columns() int {
	if !a.terminal {
		return 0
	}

	columns, _ := terminal.Size(a.out)

	return columns
}

func (a *app) colors() table.Colors {
	return table.Colors{
		Head: func(text string) string { return a.paint(bold, text) },
		Bad:  func(text string) string { return a.paint(red, text) },
	}
}
