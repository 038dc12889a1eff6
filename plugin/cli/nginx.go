package cli

import (
	"cmp"
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
the file loads, as root. Instances that need not run are named in the agent's configuration (Plugins.Hosting.Nginx.NAME.*).

Exit status: 0 all are valid, 1 one is not, 2 wrong call, 3 there is no nginx, or one was not tested, or not to the end (see the message), and none is
invalid.
`

const noNginx = "no nginx runs here; to test one: nginx test --binary /usr/sbin/nginx --config /etc/nginx/nginx.conf\n"

// Bounds of --timeout, which are those of the configuration.
const (
	minNginxTimeout = time.Second
	maxNginxTimeout = 10 * time.Minute
)

// nginxCall is what the nginx command was asked for.
type nginxCall struct {
	candidate nginx.Candidate // its timeout is 0 where none was given
	agent     *optionsFile
	asJSON    bool
}

// nginx shows the state of every instance, or tests one program with one configuration.
func (a *app) nginx(flags *flag.FlagSet, args []string) error {
	var call nginxCall

	flags.BoolVar(&call.asJSON, "json", false, "print JSON")
	flags.StringVar(&call.candidate.Binary, "binary", "", "with test: the `PATH` of the program")
	flags.StringVar(&call.candidate.Config, "config", "", "with test: the `PATH` of the configuration file")
	flags.StringVar(&call.candidate.Prefix, "prefix", "", "with test: the prefix `PATH`, if it is not the program's own")
	timeFlag(flags, &call.candidate.Timeout, "timeout", minNginxTimeout, maxNginxTimeout,
		"`TIME` after which a test is ended, 1s to 10m (as configured; 1m with test); the root helper goes by its own configuration")
	call.agent = optionsFlag(flags, "agent-config")

	if err := parseBetween(flags, args, 0, 1); err != nil {
		return err
	}

	verb := flags.Arg(0)
	if err := call.check(verb); err != nil {
		return &usageError{err: err}
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	reports, err := a.nginxReports(ctx, verb, call)
	if err != nil {
		return &outcome{status: exitNotTested, err: err}
	}

	return a.showNginx(reports, call.asJSON)
}

func (c *nginxCall) check(verb string) error {
	named := c.candidate.Binary != "" || c.candidate.Config != "" || c.candidate.Prefix != ""

	switch {
	case verb == "test" && (c.candidate.Binary == "" || c.candidate.Config == ""):
		return fmt.Errorf("cannot run nginx test: it needs --binary and --config")
	case verb == "test" && isSet(c.agent.flags, c.agent.name):
		return fmt.Errorf("cannot run nginx test: --%s is for nginx status", c.agent.name)
	case verb != "test" && named:
		return fmt.Errorf("cannot run nginx: --binary, --config and --prefix are for nginx test")
	case verb != "test" && verb != "status" && verb != "":
		return fmt.Errorf("cannot run nginx %s: there are only status and test", verb)
	}

	if c.candidate.Binary != "" && !strings.Contains(c.candidate.Binary, "/") {
		return fmt.Errorf("cannot use --binary %s: give the program's absolute path, such as /usr/sbin/nginx", c.candidate.Binary)
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

func (a *app) nginxReports(ctx context.Context, verb string, call nginxCall) ([]*nginx.Report, error) {
	if verb == "test" {
		call.candidate.Timeout = cmp.Or(call.candidate.Timeout, config.Defaults().NginxTimeout)
		r, err := nginx.TestCandidate(ctx, call.candidate)

		return []*nginx.Report{r}, err
	}

	options, err := call.agent.options()
	if err != nil {
		return nil, err
	}

	options.NginxTimeout = cmp.Or(call.candidate.Timeout, options.NginxTimeout)

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
			text = noNginx
		}

		if err := a.print(text); err != nil {
			return err
		}
	}

	return nginxEnd(reports)
}

func nginxEnd(reports []*nginx.Report) error {
	status := exitOK
	if len(reports) == 0 {
		status = exitNotTested
	}

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
