package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

func (a *app) oom(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	watch := flags.Bool("watch", false, "show it anew every 2 s")

	if err := parse(flags, args, 0); err != nil {
		return err
	}

	checks := a.checks()
	defer checks.Stop()

	if *watch {
		return a.watchTable(*asJSON, func() (string, error) {
			text, err := a.oomText(checks, *asJSON)
			if !*asJSON {
				text = fmt.Sprintf("%s  every %s; Ctrl-C ends\n\n%s", time.Now().Format(time.TimeOnly), watchInterval, text)
			}

			return text, err
		})
	}

	text, err := a.oomText(checks, *asJSON)
	if err != nil {
		return err
	}

	return a.print(text)
}

func (a *app) oomText(checks *keys.Checks, asJSON bool) (string, error) {
	report, err := checks.OOMAndUnits(context.Background())
	if err != nil {
		return "", err
	}

	if asJSON {
		return jsonLine(report)
	}

	return table.OOM(report.Report, report.Cgroups, report.Units), nil
}
