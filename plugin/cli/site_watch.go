package cli

import (
	"os"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/table"
	"zabbix-agent2-plugin-hosting/plugin/terminal"
)

const redrawInterval = time.Second

// watchJSON is a line of site --watch --json.
type watchJSON struct {
	Schema int            `json:"schema"`
	At     int64          `json:"at"` // Unix time in seconds
	Sites  []*site.Report `json:"sites"`
}

// siteWatch is what the watcher knows of the sites.
type siteWatch struct {
	app     *app
	monitor *site.Monitor
	// before has the reports of the last log lines by site.
	before map[string]*site.Report
}

// watchSites requests the sites on their schedules until the person has seen enough.
func (a *app) watchSites(sites []site.Site, asJSON bool) error {
	w := &siteWatch{app: a, monitor: site.NewMonitor(sites), before: make(map[string]*site.Report)}
	live := a.terminal && !asJSON

	frame := w.log

	switch {
	case asJSON:
		frame = w.json
	case live:
		frame = w.live
	}

	w.monitor.Start()
	err := a.watch(redrawInterval, live, frame)
	w.monitor.Stop()

	if err != nil {
		return err
	}

	text := ""
	if !live {
		// What came since the last text.
		if text, err = frame(); err != nil {
			return err
		}
	}

	if !asJSON {
		text += w.summary()
	}

	if err := a.print(text); err != nil {
		return err
	}

	return w.end()
}

// summary has a line per site.
func (w *siteWatch) summary() string {
	var text strings.Builder

	for _, s := range w.sites() {
		text.WriteString(table.LiveSummary(s))
	}

	return text.String()
}

func (w *siteWatch) end() error {
	var failed, untested bool

	for _, s := range w.monitor.Summary() {
		failed = failed || s.Failed > 0
		untested = untested || s.NotTested > 0
	}

	return requestsEnd(failed, untested)
}

// sites returns what is known now, in the order of the names.
func (w *siteWatch) sites() []table.Watched {
	states := w.monitor.Summary()
	sites := make([]table.Watched, 0, len(states))

	for _, state := range states {
		// The monitor knows the names that it told itself.
		if report, err := w.monitor.Report(state.Name); err == nil {
			sites = append(sites, table.Watched{Report: report, Recent: state.Recent})
		}
	}

	return sites
}

func (w *siteWatch) live() (string, error) {
	look := table.Look{UTF8: terminal.UTF8(os.Getenv), Colors: w.app.colors()}
	look.Columns, look.Rows = terminal.Size(w.app.out)

	return table.Live(w.sites(), time.Now(), look), nil
}

// log returns a line per site that was requested since the last.
func (w *siteWatch) log() (string, error) {
	var text strings.Builder

	for _, s := range w.sites() {
		text.WriteString(table.LiveLine(s, w.before[s.Site], time.Now()))
		w.before[s.Site] = s.Report
	}

	return text.String(), nil
}

func (w *siteWatch) json() (string, error) {
	sites := w.sites()
	reports := make([]*site.Report, len(sites))

	for i, s := range sites {
		// All of them for all sites would be megabytes each second.
		s.Evidence = s.Evidence[:min(len(s.Evidence), 1)]
		reports[i] = s.Report
	}

	return jsonLine(watchJSON{Schema: 1, At: time.Now().Unix(), Sites: reports})
}
