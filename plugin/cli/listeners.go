package cli

import (
	"context"
	"flag"
	"fmt"

	"zabbix-agent2-plugin-hosting/plugin/table"
)

const maxPort = 65535

// listeners shows who listens, and who takes clients of an nginx.
func (a *app) listeners(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	port := flags.Uint("port", 0, "only this local `PORT`")

	if err := parse(flags, args, 0); err != nil {
		return err
	}

	if *port > maxPort {
		return fmt.Errorf("cannot run listeners: --port=%d; allowed is a number from 1 to 65535; %w", *port, errUsage)
	}

	checks := a.checks()
	defer checks.Stop()

	report, err := checks.Listeners(context.Background(), uint16(*port))
	if err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(report)
	}

	return a.print(a.heading(table.Listeners(report)))
}
