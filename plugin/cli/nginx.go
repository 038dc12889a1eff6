package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

const nginxDetails = `
nginx, or nginx status, tests the configuration of every nginx that runs, and shows what it found, and who else takes its clients. nginx test
tests any program with any configuration, without touching ports, files or a running nginx; as root it runs the program, and the modules that
the file loads, as root.

Exit status: 0 all are valid, 1 one is not, 2 wrong call, 3 one was not tested, or not to the end (see the message), and none is invalid.
`

// nginxCall is what the nginx command was asked for.
type nginxCall struct {
	candidate nginx.Candidate
	asJSON    bool
}

// nginx shows the state of every instance, or tests one program with one configuration.
func (a *app) nginx(flags *flag.FlagSet, args []string) error {
	var call nginxCall

	flags.BoolVar(&call.asJSON, "json", false, "print JSON")
	flags.StringVar(&call.candidate.Binary, "binary", "", "with test: the `PATH` of the program")
	flags.StringVar(&call.candidate.Config, "config", "", "with test: the `PATH` of the configuration file")
	flags.StringVar(&call.candidate.Prefix, "prefix", "", "with test: the prefix `PATH`, if it is not the program's own")
	flags.DurationVar(&call.candidate.Timeout, "timeout", time.Minute, "`TIME` after which a test is ended, 1s to 10m (1m)")

	if err := parseBetween(flags, args, 0, 1); err != nil {
		return err
	}

	verb := flags.Arg(0)
	if err := call.check(verb); err != nil {
		return fmt.Errorf("%w; %w", err, errUsage)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	reports, err := a.nginxReports(ctx, verb, call.candidate)
	if err != nil {
		return &outcome{status: exitNotTested, err: err}
	}

	return a.showNginx(reports, call.asJSON)
}

func (c *nginxCall) check(verb string) error {
	named := c.candidate.Binary != "" || c.candidate.Config != "" || c.candidate.Prefix != ""

	switch {
	case c.candidate.Timeout < time.Second || c.candidate.Timeout > 10*time.Minute:
		return fmt.Errorf("cannot run nginx: --timeout=%s; allowed is a time from 1s to 10m", c.candidate.Timeout)
	case verb == "test" && (c.candidate.Binary == "" || c.candidate.Config == ""):
		return fmt.Errorf("cannot run nginx test: it needs --binary and --config")
	case verb != "test" && named:
		return fmt.Errorf("cannot run nginx: --binary, --config and --prefix are for nginx test")
	case verb != "test" && verb != "status" && verb != "":
		return fmt.Errorf("cannot run nginx %s: there are only status and test", verb)
	}

	for _, path := range []*string{&c.candidate.Binary, &c.candidate.Config, &c.candidate.Prefix} {
		if *path == "" {
			continue
		}

		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("cannot run nginx test: %w", err)
		}

		*path = absolute
	}

	return nil
}

func (a *app) nginxReports(ctx context.Context, verb string, candidate nginx.Candidate) ([]*nginx.Report, error) {
	if verb == "test" {
		r, err := nginx.TestCandidate(ctx, candidate)

		return []*nginx.Report{r}, err
	}

	options := config.Defaults()
	options.NginxTimeout = candidate.Timeout

	checks := a.checksWith(options)
	defer checks.Stop()

	return checks.Nginx(ctx)
}

// showNginx prints the reports and ends with the worst of them.
func (a *app) showNginx(reports []*nginx.Report, asJSON bool) error {
	if asJSON {
		if err := a.printJSON(reports); err != nil {
			return err
		}
	} else {
		var texts []string
		for _, r := range reports {
			texts = append(texts, table.Nginx(r))
		}

		text := strings.Join(texts, "\n")
		if len(reports) == 0 {
			text = "no nginx runs here\n"
		}

		if err := a.print(text); err != nil {
			return err
		}
	}

	return nginxEnd(reports)
}

func nginxEnd(reports []*nginx.Report) error {
	status := exitOK

	for _, r := range reports {
		switch r.State {
		case nginx.StateValid, nginx.StateValidWithWarnings:
		case nginx.StateInvalid, nginx.StateEnvironment:
			return &outcome{status: exitFailed}
		case nginx.StateTimedOut, nginx.StateNotTested, nginx.StateUnsafeRefused:
			status = exitNotTested
		}
	}

	if status == exitOK {
		return nil
	}

	return &outcome{status: status}
}
