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
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks errors after which a person needs to be told how to call the program.
var errUsage = errors.New("see `" + Program + " help`")

// command is one thing that the program does for a person.
type command struct {
	name    string
	usage   string // arguments and flags
	summary string
	run     func(*app, *flag.FlagSet, []string) error
}

// app is one run of the program.
type app struct {
	version  string
	out      io.Writer
	terminal bool
	color    bool
}

func commands() []command {
	return []command{
		{"memory", "[--json]", "kernel-side shares of RAM and what no counter explains", (*app).memory},
		{
			"slab", "[--watch] [--sort size|growth|objects] [-n N] [--json]",
			"the largest slab caches, with what slabtop does not say", (*app).slab,
		},
		{"site", "[--connect HOST:PORT] [--timeout 10s] [--json] URL", "one request to a URL: its phases, or how it failed", (*app).site},
		{"oom", "[--json]", "OOM kills since boot and their victims", (*app).oom},
		{"get", "KEY", "the value of an item key, such as 'hosting.slab.get[5,growth]'", (*app).get},
		{"list-keys", "[--json]", "all item keys", (*app).listKeys},
		{"doctor", "[--json]", "what works here, and what mends what does not", (*app).doctor},
		{"version", "[--json]", "the version", (*app).printVersion},
		{"help", "", "this list", (*app).help},
	}
}

// Run executes the command line and returns the exit status.
func Run(args []string, version string, out *os.File, errOut io.Writer) int {
	onTerminal := terminal.Is(out)
	a := &app{version: version, out: out, terminal: onTerminal, color: onTerminal && os.Getenv("NO_COLOR") == ""}

	err := a.dispatch(args)

	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintln(errOut, err)

		return exitUsage
	default:
		fmt.Fprintln(errOut, err)

		return exitFailed
	}
}

func (a *app) dispatch(args []string) error {
	if len(args) == 0 {
		return a.help(nil, nil)
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
		return fmt.Errorf("cannot run %q: there is no such command; %w", name, errUsage)
	}

	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what it would print is in its error

	err := all[i].run(a, flags, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Fprintf(a.out, "usage: %s %s %s\n%s\n", Program, name, all[i].usage, all[i].summary)
	}

	return err
}

// parse reads a command's flags; what is left over must be exactly so many arguments.
func parse(flags *flag.FlagSet, args []string, arguments int) error {
	err := flags.Parse(args)

	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return fmt.Errorf("cannot run %s: %w; %w", flags.Name(), err, errUsage)
	case flags.NArg() != arguments:
		return fmt.Errorf("cannot run %s: it takes %d argument(s), not %d; %w", flags.Name(), arguments, flags.NArg(), errUsage)
	}

	return nil
}
