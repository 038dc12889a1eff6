package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

// site requests a URL once and shows where the time went, or how it failed.
func (a *app) site(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	connect := flags.String("connect", "", "host:port to connect to instead")
	timeout := flags.Duration("timeout", 10*time.Second, "for the whole request")

	if err := parse(flags, args, 1); err != nil {
		return err
	}

	target, err := site.NewTarget(flags.Arg(0))
	if err != nil {
		return err
	}

	target.Connect, target.Timeout = *connect, *timeout
	result := site.NewProber(target).Probe(context.Background())

	if *asJSON {
		return a.printJSON(result)
	}

	_, err = fmt.Fprint(a.out, a.heading(table.Probe(result)))

	return err
}
