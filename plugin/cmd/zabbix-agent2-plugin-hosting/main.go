// Command zabbix-agent2-plugin-hosting is a loadable plugin of Zabbix agent 2, and a command for people.
package main

import (
	"os"

	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/plugin/cli"
	"zabbix-agent2-plugin-hosting/plugin/keys"
)

// version is set by the linker.
var version = "0.1.0-dev"

func main() {
	if status, handled := agent.Main(os.Args, keys.Plugin(version)); handled {
		os.Exit(status)
	}

	os.Exit(cli.Run(os.Args[1:], version, os.Stdout, os.Stderr))
}
