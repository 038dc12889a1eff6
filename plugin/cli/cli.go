// Package cli is what people get from the plugin's binary: values, tables and a diagnosis, without an agent.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"zabbix-agent2-plugin-hosting/plugin/terminal"
)

// Program is the name that people type.
const Program = "zabbix-agent2-plugin-hosting"

// Exit statuses.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNotTested = 3 // of site and nginx, whose 1 is kept for what is down or invalid
)

// outcome is how a command ends that has a status of its own; err is nil where what it printed says it all.
type outcome struct {
	status int
	err    error
}

func (o *outcome) Error() string { return fmt.Sprint(o.err) }

// command is one thing that the program does for a person.
type command struct {
	name    string
	usage   string // arguments and flags
	summary string
	details string // what its own help says beside
	run     func(*app, *flag.FlagSet, []string) error
}

// app is one run of the program.
type app struct {
	version  string
	out      *os.File
	errOut   io.Writer
	terminal bool
	color    bool
}

func commands() []command {
	return []command{
		{name: "memory", usage: "[--json]", summary: "kernel-side shares of RAM and what no counter explains", run: (*app).memory},
		{
			name: "slab", usage: "[owners [--for TIME]|[--watch] [--sort size|growth|objects]] [-n N] [--json]", details: slabDetails,
			summary: "the largest slab caches, with what slabtop does not say", run: (*app).slab,
		},
		{
			name: "site", usage: "[NAME|URL] [--watch] [--json]", details: siteDetails,
			summary: "test sites, one or all that are configured, or a URL: phases, or how it failed", run: (*app).site,
		},
		{name: "oom", usage: "[--watch] [--json]", summary: "OOM kills since boot and their victims", run: (*app).oom},
		{
			name: "nginx", usage: "[status [--agent-config FILE]|test --binary PATH --config PATH [--prefix PATH]] [--timeout TIME] [--json]", details: nginxDetails,
			summary: "nginx configurations, tested without touching anything", run: (*app).nginx,
		},
		{
			name: "listeners", usage: "[--port PORT] [--watch] [--json]", details: listenersDetails,
			summary: "who listens, and who takes clients of an nginx", run: (*app).listeners,
		},
		{
			name: "get", usage: "KEY [--config FILE]", details: getDetails,
			summary: "the value of an item key, such as 'hosting.slab.get[5]'", run: (*app).get,
		},
		{name: "list-keys", usage: "[--json]", summary: "all item keys", run: (*app).listKeys},
		{
			name: "doctor", usage: "[--config FILE] [--json]", details: doctorDetails,
			summary: "what works here, and what mends what does not", run: (*app).doctor,
		},
		{name: "version", usage: "[--json]", summary: "the version", run: (*app).printVersion},
		{name: "help", usage: "[COMMAND]", summary: "this list, or how to call a command", run: (*app).help},
	}
}

// Run executes the command line and returns the exit status.
func Run(args []string, version string, out *os.File, errOut io.Writer) int {
	onTerminal := terminal.Is(out) && os.Getenv("TERM") != "dumb"
	a := &app{version: version, out: out, errOut: errOut, terminal: onTerminal, color: onTerminal && os.Getenv("NO_COLOR") == ""}

	err := a.dispatch(args)

	var ended *outcome

	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &ended):
		if ended.err != nil {
			fmt.Fprintln(errOut, ended.err)
		}

		return ended.status
	}

	fmt.Fprintln(errOut, err)

	if _, wrong := errors.AsType[*usageError](err); wrong {
		return exitUsage
	}

	return exitFailed
}

func (a *app) dispatch(args []string) error {
	if len(args) == 0 {
		args = []string{"help"}
	}

	name := args[0]
	// Options that the agent's own plugins take, and the spelling of people who expect an option.
	if alias, ok := map[string]string{
		"-h": "help", "--help": "help", "-V": "version", "--version": "version", "--list-keys": "list-keys",
	}[name]; ok {
		name = alias
	}

	all := commands()

	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return wrongCall("cannot run %q: there is no such command", name)
	}

	flags := newFlags(name)
	err := all[i].run(a, flags, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		err = a.print(commandHelp(all[i], flags))
	}

	if wrong, ok := errors.AsType[*usageError](err); ok {
		wrong.command = name
	}

	return err
}
