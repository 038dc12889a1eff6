package cli

import (
	"flag"
	"fmt"

	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

func (a *app) oom(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args, 0); err != nil {
		return err
	}

	options := config.Defaults()

	tracker := oom.NewTracker(options.ProcPath, options.KmsgPath)
	defer tracker.Close()

	report, err := tracker.Get()
	if err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(report)
	}

	_, err = fmt.Fprint(a.out, table.OOM(report))

	return err
}
