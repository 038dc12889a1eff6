package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

func (a *app) printVersion(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args, 0); err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(map[string]string{"version": a.version})
	}

	_, err := fmt.Fprintln(a.out, Program, a.version)

	return err
}

func (a *app) help(flags *flag.FlagSet, args []string) error {
	if err := parseBetween(flags, args, 0, 1); err != nil {
		return err
	}

	if of := flags.Arg(0); of != "" {
		return a.dispatch([]string{of, "-h"})
	}

	var text table.Table

	text.Columns = []table.Column{{Title: "command"}, {Title: "what it prints"}}
	for _, c := range commands() {
		text.Add(strings.TrimSpace(c.name+" "+c.usage), c.summary)
	}

	_, err := fmt.Fprintf(a.out, `%s %s

%s
COMMAND -h, or help COMMAND, lists the options of one.

Exit status: 0 done; 1 it failed, or what was asked about is amiss: a request failed (site), a configuration is invalid (nginx), something is to be
mended (doctor); 2 wrong call; 3 site and nginx could not test.

As a plugin it is started by Zabbix agent 2 (Plugins.%s.System.Path), with the path of a socket as its argument.
`, Program, a.version, text.String(), config.Section)

	return err
}

// commandHelp tells how to call one command; its flags are those that it read its arguments with.
func commandHelp(c command, flags *flag.FlagSet) string {
	text := table.Table{Columns: []table.Column{{Title: "option"}, {Title: "meaning"}}}

	flags.VisitAll(func(f *flag.Flag) {
		value, meaning := flag.UnquoteUsage(f)

		dashes := "--"
		if len(f.Name) == 1 {
			dashes = "-"
		}

		text.Add(strings.TrimSpace(dashes+f.Name+" "+value), meaning)
	})

	help := strings.TrimSpace(fmt.Sprintf("usage: %s %s %s", Program, c.name, c.usage)) + "\n" + c.summary + "\n"
	if len(text.Rows) > 0 {
		help += "\n" + text.String()
	}

	return help + c.details
}

// printJSON prints a value on one line.
func (a *app) printJSON(value any) error {
	line, err := jsonLine(value)
	if err != nil {
		return err
	}

	return a.print(line)
}

func jsonLine(value any) (string, error) {
	var line strings.Builder

	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)

	return line.String(), err
}
