package cli

import (
	"flag"
	"fmt"

	"zabbix-agent2-plugin-hosting/checks/memory"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

func (a *app) memory(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args, 0); err != nil {
		return err
	}

	info, err := memory.NewReader(config.Defaults().ProcPath).Read()
	if err != nil {
		return err
	}

	report := info.Report()
	if *asJSON {
		return a.printJSON(report)
	}

	_, err = fmt.Fprint(a.out, a.heading(table.Memory(report)))

	return err
}
