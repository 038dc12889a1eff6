package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

const getPatience = time.Minute

// standalone answers for the plugin's processes where no agent runs.
type standalone struct{ started time.Time }

func (s standalone) Status() agent.Status { return agent.Status{StartedAt: s.started} }

func (a *app) checks() *keys.Checks { return a.checksWith(config.Defaults()) }

func (a *app) checksWith(options config.Options) *keys.Checks {
	return keys.NewChecks(options, standalone{started: time.Now()}, a.version)
}

const getDetails = `
The value is made by this process, for this user, with the options of the agent's configuration, or their defaults where there is none; what only a running
plugin remembers, such as growth and the counters of test sites, is not in it. For the value that the agent's plugin has, ask the agent:
zabbix_get -s 127.0.0.1 -k 'KEY'

Exit status: 0 it has a value, 1 it has none (see the message), 2 wrong call.
`

func (a *app) get(flags *flag.FlagSet, args []string) error {
	file := optionsFlag(flags, "config")

	if err := parse(flags, args, 1); err != nil {
		return err
	}

	name, parameters, err := keys.ParseItemKey(flags.Arg(0))
	if err != nil {
		return &usageError{err: err}
	}

	options, err := file.options()
	if err != nil {
		return err
	}

	checks := a.checksWith(options)
	defer checks.Stop()

	if err := checks.CheckCall(name, parameters); err != nil {
		return &usageError{err: err}
	}

	ctx, cancel := context.WithTimeout(context.Background(), getPatience)
	defer cancel()

	value, err := checks.Evaluate(ctx, name, parameters)
	if err != nil {
		return err
	}

	_, err = fmt.Fprintln(a.out, value)

	return err
}

// listedKey is one key in list-keys --json.
type listedKey struct {
	Key         string            `json:"key"`
	Usage       string            `json:"usage"`
	Example     string            `json:"example"`
	Description string            `json:"description"`
	Result      keys.Result       `json:"result"`
	Unit        string            `json:"unit,omitempty"`
	Permission  string            `json:"permission,omitempty"`
	Parameters  []listedParameter `json:"parameters"`
}

type listedParameter struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Default     string `json:"default"`
	Allowed     string `json:"allowed"`
}

func (a *app) listKeys(flags *flag.FlagSet, args []string) error {
	asJSON := flags.Bool("json", false, "print JSON")
	if err := parse(flags, args, 0); err != nil {
		return err
	}

	if *asJSON {
		return a.printJSON(listKeys())
	}

	text := table.Table{Columns: []table.Column{{Title: "item key"}, {Title: "value"}, {Title: "description"}}}
	for _, k := range keys.All() {
		text.Add(k.Usage(), string(k.Result), k.Description)
	}

	_, err := fmt.Fprint(a.out, text.String())

	return err
}

func listKeys() []listedKey {
	var listed []listedKey

	for _, k := range keys.All() {
		parameters := make([]listedParameter, 0, len(k.Parameters))
		for _, p := range k.Parameters {
			parameters = append(parameters, listedParameter{p.Name, p.Description, p.Default, p.Allowed.String()})
		}

		listed = append(listed, listedKey{
			Key: k.Name, Usage: k.Usage(), Example: k.Example(), Description: k.Description,
			Result: k.Result, Unit: k.Unit, Permission: k.Permission.Needs, Parameters: parameters,
		})
	}

	return listed
}
