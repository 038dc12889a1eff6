package cli

import (
	"context"
	"flag"
	"fmt"

	"zabbix-agent2-plugin-hosting/plugin/table"
)

func (a *app) oom(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args, 0); err != nil {
		return err
	}

	report, err := a.checks().OOMAndUnits(context.Background())
	if err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(report)
	}

	_, err = fmt.Fprint(a.out, table.OOM(report.Report, report.Cgroups, report.Units))

	return err
}
