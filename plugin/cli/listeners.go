package cli

import (
	"context"
	"flag"

	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

const maxPort = 65535

const listenersDetails = `
--watch shows each process that opens a listening socket from then on, even for a millisecond, with those that started it; what is beside an nginx is
marked. For an ordinary user the root helper watches, whose own watch may have begun before; without it sockets are looked at once a second, and what
listens for less may be missed.
`

// listeners shows who listens, and who takes clients of an nginx.
func (a *app) listeners(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	port := 0
	watch := flags.Bool("watch", false, "show who begins and ceases to listen")

	numberFlag(flags, &port, "port", 1, maxPort, "only this local `PORT`")

	if err := parse(flags, args, 0); err != nil {
		return err
	}

	if *watch && port != 0 {
		return wrongCall("cannot use --port with --watch: it shows all ports")
	}

	checks := a.checks()
	defer checks.Stop()

	if *watch {
		return a.watchListeners(checks, *asJSON)
	}

	report, err := checks.Listeners(context.Background(), uint16(port))
	if err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(report)
	}

	return a.print(a.heading(table.Listeners(report)))
}

// watchListeners shows who has begun and ceased to listen until the person has seen enough.
func (a *app) watchListeners(checks *keys.Checks, asJSON bool) error {
	return a.watchTable(asJSON, func() (string, error) {
		events, err := checks.ListenerEvents(context.Background())
		if err != nil {
			return "", err
		}

		if asJSON {
			return jsonLine(events)
		}

		return a.heading(table.Events(events)), nil
	})
}
