package cli

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/config"
)

const siteDetails = `
NAME is a site of the agent's configuration (Plugins.Hosting.Sites.NAME.*); without NAME and URL all of them are requested.
With --watch they are requested on their schedules until Ctrl-C, which prints a line per site. Where no terminal shows it, there is a
line per site and second; with --json one document per second, its sites as the item hosting.site.get has them, of the failures the last.
p50, p90 and p99 are of the successes of the last 5 minutes.

Exit status: 0 all requests succeeded, 1 one failed, 2 wrong call, 3 this host could not test (see the message), and none failed.
`

// Bounds of the flags; those of the configuration are the same.
const (
	minInterval      = 200 * time.Millisecond
	maxInterval      = time.Hour
	minTimeout       = 100 * time.Millisecond
	maxTimeout       = time.Minute
	watchURLInterval = time.Second
)

// siteCall is what the site command was asked for. Zero values are not set.
type siteCall struct {
	what              string // a name, a URL, or empty for all sites
	connect, file     string
	timeout, interval time.Duration
	watch, asJSON     bool
}

// site requests a URL, a configured site or all of them, once or until the person has seen enough.
func (a *app) site(flags *flag.FlagSet, args []string) error {
	var call siteCall

	flags.BoolVar(&call.asJSON, "json", false, "print JSON")
	flags.BoolVar(&call.watch, "watch", false, "request them on their schedules and show them live, anew each second")
	flags.StringVar(&call.connect, "connect", "", "connect to `HOST:PORT` instead; Host and certificate name stay the URL's")
	flags.StringVar(&call.file, "config", config.AgentFile, agentFileUsage)
	timeFlag(flags, &call.timeout, "timeout", minTimeout, maxTimeout, "`TIME` for the whole request, 100ms to 1m (as configured; 10s for a URL)")
	timeFlag(flags, &call.interval, "interval", minInterval, maxInterval, "`TIME` from one request to the next, 200ms to 1h (as configured; 1s for a URL)")

	if err := parseBetween(flags, args, 0, 1); err != nil {
		return err
	}

	call.what = flags.Arg(0)
	if err := call.check(); err != nil {
		return &usageError{err: err}
	}

	sites, err := call.sites()
	if err == nil {
		err = a.showSites(call, sites)
	}

	return asOutcome(err)
}

func (a *app) showSites(call siteCall, sites []site.Site) error {
	switch {
	case call.watch:
		return a.watchSites(sites, call.asJSON)
	case call.what != "":
		return a.probeSite(sites[0], call.asJSON)
	default:
		return a.probeSites(sites, call.asJSON)
	}
}

// asOutcome gives an error that has no status of its own that of a site that could not be tested: only a site that is down ends
// the command with 1.
func asOutcome(err error) error {
	var ended *outcome
	if err == nil || errors.As(err, &ended) {
		return err
	}

	return &outcome{exitNotTested, err}
}

func (c siteCall) check() error {
	if c.connect != "" {
		if err := site.CheckConnect(c.connect); err != nil {
			return err
		}
	}

	if c.interval != 0 && !c.watch {
		return errors.New("cannot use --interval without --watch: a single request has none")
	}

	return nil
}

// requestsEnd is how the command ends after requests.
func requestsEnd(failed, untested bool) error {
	switch {
	case failed:
		return &outcome{status: exitFailed}
	case untested:
		return &outcome{status: exitNotTested}
	default:
		return nil
	}
}

// sites are those that are asked for, one at least, with what the flags change.
func (c siteCall) sites() ([]site.Site, error) {
	sites, err := c.find()
	if err != nil {
		return nil, err
	}

	for i := range sites {
		if c.connect != "" {
			sites[i].Target.Connect = c.connect
		}

		if c.timeout != 0 {
			sites[i].Target.Timeout = c.timeout
		}

		if c.interval != 0 {
			sites[i].Interval = c.interval
		}
	}

	return sites, nil
}

func (c siteCall) find() ([]site.Site, error) {
	switch {
	case strings.Contains(c.what, "://"):
		target, err := site.NewTarget(c.what)
		if err != nil {
			return nil, &outcome{exitUsage, err}
		}

		return []site.Site{{Target: target, Interval: watchURLInterval}}, nil
	case c.what != "" && !config.IsSiteName(c.what):
		return nil, &outcome{exitUsage, fmt.Errorf("cannot request %q: it is neither a URL, such as https://shop.example/, nor a site's name, "+
			"which has letters, digits and _ only", c.what)}
	}

	return c.configured()
}

// configured returns the site of the name, or all without a name.
func (c siteCall) configured() ([]site.Site, error) {
	options, err := config.Load(c.file)
	if err != nil {
		return nil, err
	}

	if len(options.Sites) == 0 {
		return nil, fmt.Errorf("cannot find a test site: %s and the files that it includes configure none; "+
			"add a line such as Plugins.%s.Sites.shop.URL=https://shop.example/, or give a URL", c.file, config.Section)
	}

	if c.what == "" {
		return options.Sites, nil
	}

	for _, s := range options.Sites {
		if s.Name == c.what {
			return []site.Site{s}, nil
		}
	}

	_, err = site.NewMonitor(options.Sites).Report(c.what)

	return nil, &outcome{exitUsage, err}
}
