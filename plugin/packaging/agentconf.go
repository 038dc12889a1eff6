package packaging

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/plugin/config"
)

const (
	pluginPath = "/usr/sbin/zabbix-agent2-plugin/zabbix-agent2-plugin-hosting"

	agentConfHead = `# The Zabbix agent 2 plugin for shared-hosting servers. Restart the agent after a change: systemctl restart zabbix-agent2
# This file may be read by everyone; one with a password or a secret header: chgrp zabbix hosting.conf, chmod 0640 hosting.conf
# What the root helper does for the plugin goes by its own file, /etc/zabbix/zabbix-hosting-helper.toml: an option for which that decides says so.

# An agent whose plugin is missing does not start: remove this line before the program.
Plugins.` + config.Section + `.System.Path=` + pluginPath + `
`
	sitesHead = `
##### Test sites, each requested on a schedule of its own. "shop" stands for a name of yours.
`
	nginxHead = `
##### An nginx that runs needs no option. One that must be tested even while it is stopped has a name of yours, here "edge".
`
)

// examples are values of options that have no default.
var examples = map[string]string{
	"URL":        "https://shop.example/",
	"Header":     "User-Agent: uptime",
	"Connect":    "127.0.0.1:443",
	"Source":     "192.0.2.10",
	"Family":     "4",
	"Resolver":   "192.0.2.53:53",
	"BodyMatch":  "</html>",
	"BodyForbid": "Error establishing a database connection",
	"Binary":     "/usr/sbin/nginx",
	"Config":     "/etc/nginx/nginx.conf",
	"Prefix":     "/etc/nginx",
}

// AgentConf is the agent's hosting.conf: the plugin's path, and every option with its meaning, commented out.
func AgentConf() string {
	var text strings.Builder

	text.WriteString(agentConfHead)

	for _, o := range config.All() {
		writeOption(&text, o.Name, o.Meaning(), o.Allowed, o.Default)
	}

	text.WriteString(sitesHead)

	for _, o := range config.SiteOptions() {
		writeOption(&text, "Sites.shop."+o.Name, o.Description, o.Allowed, orExample(o.Default, o.Name))
	}

	text.WriteString(nginxHead)

	for _, o := range config.NginxOptions() {
		writeOption(&text, "Nginx.edge."+o.Name, o.Description, o.Allowed, orExample(o.Default, o.Name))
	}

	return text.String()
}

func orExample(value, option string) string {
	if value == "" {
		return examples[option]
	}

	return value
}

func writeOption(text *strings.Builder, name, description, allowed, value string) {
	name = "Plugins." + config.Section + "." + name
	fmt.Fprintf(text, "\n### Option: %s\n#\t%s\n#\tAllowed: %s\n# %s=%s\n", name, description, allowed, name, value)
}
