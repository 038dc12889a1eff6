// Command hosting-views makes the dashboard of a whole hosting, and what a customer needs to see the server where the account lives and nothing else, through the
// API of Zabbix 6.0 or 7.0.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/templates/api"
	"zabbix-agent2-plugin-hosting/templates/views"
)

const usage = `usage: hosting-views COMMAND [OPTIONS] ARGUMENTS

  fleet [-host NAME] GROUP            the virtual host and the dashboard of all hosts of a host group
  customer [OPTIONS] NAME SERVER      lets the user NAME read the host SERVER and no other, with a token for a control panel
      -new-token                      a new token in place of the old one, which is of no use then
      -token-for DURATION             how long a new token can be used, such as 2160h (default: for ever); refused where an old one is good
      -password                       a user who logs in to the frontend and has no token; reads the password from standard input
  remove NAME                         removes a customer with the token

ZABBIX_URL is the frontend's address, such as https://zabbix.example/zabbix, and ZABBIX_TOKEN an API token of a super admin.
What was made is told as JSON. A token is told only once.
`

// errUsage is that the command line is none of those that usage tells.
var errUsage = errors.New("cannot understand the command line: see the usage above")

func main() {
	if err := run(os.Args[1:], os.Getenv, os.Stdin, os.Stdout); err != nil {
		if errors.Is(err, errUsage) {
			fmt.Fprint(os.Stderr, usage)
		}
		fmt.Fprintln(os.Stderr, "hosting-views:", err)
		os.Exit(1)
	}
}

// command does one thing with the arguments that its options leave, and returns what is to be told, if anything.
type command func(c *api.Client, arguments []string) (any, error)

func run(arguments []string, env func(string) string, in io.Reader, out io.Writer) error {
	if len(arguments) == 0 {
		return errUsage
	}
	do, rest, err := parse(arguments[0], arguments[1:], in)
	if err != nil {
		return err
	}
	url, token := env("ZABBIX_URL"), env("ZABBIX_TOKEN")
	if url == "" || token == "" {
		return errors.New("cannot call the API: ZABBIX_URL and ZABBIX_TOKEN are not both set; set them in the environment")
	}
	client, err := api.New(url, token)
	if err != nil {
		return err
	}
	made, err := do(client, rest)
	if err != nil || made == nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(made)
}

// parse returns the command of a name and the arguments that are no options of it.
func parse(name string, arguments []string, in io.Reader) (command, []string, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var do command
	var wanted int
	switch name {
	case "fleet":
		host := flags.String("host", "Hosting fleet", "")
		do, wanted = func(c *api.Client, a []string) (any, error) { return views.EnsureFleet(c, *host, a[0]) }, 1
	case "customer":
		do, wanted = customer(flags, in), 2
	case "remove":
		do, wanted = func(c *api.Client, a []string) (any, error) { return nil, views.RemoveCustomer(c, a[0]) }, 1
	default:
		return nil, nil, errUsage
	}
	if err := flags.Parse(arguments); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() != wanted || slices.Contains(flags.Args(), "") {
		return nil, nil, errUsage
	}
	return do, flags.Args(), nil
}

// customer is the command of that name with its options.
func customer(flags *flag.FlagSet, in io.Reader) command {
	newToken := flags.Bool("new-token", false, "")
	tokenFor := flags.Duration("token-for", 0, "")
	password := flags.Bool("password", false, "")
	return func(c *api.Client, arguments []string) (any, error) {
		wanted := views.Customer{Name: arguments[0], Server: arguments[1], NewToken: *newToken, TokenFor: *tokenFor}
		if *tokenFor < 0 || *tokenFor > 0 && *tokenFor < time.Minute {
			return nil, fmt.Errorf("cannot make a token for %s: that is too short; give at least 1m", *tokenFor)
		}
		if *password {
			line, err := bufio.NewReader(in).ReadString('\n')
			wanted.Password = strings.TrimRight(line, "\r\n")
			if err != nil && !errors.Is(err, io.EOF) || wanted.Password == "" {
				return nil, errors.New("cannot read the password: standard input has none; write it there in one line")
			}
		}
		return views.EnsureCustomer(c, wanted)
	}
}
