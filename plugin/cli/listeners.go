package cli

import (
	"context"
	"flag"
	"fmt"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/plugin/config"
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

	options := config.Defaults()
	ctx := context.Background()
	instances := nginx.NewMonitor(nginx.Options{ProcPath: options.ProcPath, SysPath: options.SysPath, Root: "/"})

	defer instances.Stop()

	masters, err := instances.Masters(ctx)
	if err != nil {
		return err
	}

	report, err := listener.NewReader(options.ProcPath, options.SysPath).Read(ctx, listener.Options{
		Port: uint16(*port), Masters: masters, Processes: true,
	})
	if err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(report)
	}

	return a.print(a.heading(table.Listeners(report)))
}
