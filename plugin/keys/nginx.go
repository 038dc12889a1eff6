package keys

import (
	"context"
	"strconv"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// What of the keys is for root.
var (
	needsMasters = Permission{
		Needs: "sees which program and root directory a master has (ptrace rights)", Verb: helper.VerbNginx,
		Without: "what the title of each master tells",
	}
	needsNginx = Permission{
		Needs: "reads certificates' keys and what belongs to the master of nginx", Verb: helper.VerbNginxConfig,
		Without: "not tested where a key is for root only",
	}
	needsPeers = Permission{
		Needs: "sees the processes of other users behind the sockets", Verb: helper.VerbListeners, Without: "sockets without processes",
	}
)

// instanceName is only looked up among the instances that were found; nothing of it reaches a command line.
var instanceName = valid{words: "the name of an instance; none where there is only one", check: func(string) bool { return true }}

func nginxKeys() []Key {
	return []Key{
		{
			Name: "hosting.nginx.discovery",
			Description: "Discovery of nginx instances: running masters and those named in the configuration. {#TRUSTED} is 1 where root or the " +
				"plugin's user runs it or the configuration names it, else 0: anybody may call a process nginx. {#CONTAINER} is 1 in a container, else 0.",
			Result:     LLD,
			Check:      CheckNginx,
			Permission: needsMasters,
			evaluate:   evaluateNginxDiscovery,
		},
		{
			Name: "hosting.nginx.config",
			Parameters: []Parameter{{
				Name: "instance", Description: "a name from the discovery", Sample: "edge", Allowed: instanceName,
			}},
			Description: "Whether an nginx configuration would load, waits for a reload, or is dangerous to test the ordinary way, and who shares its ports.",
			Result:      JSON,
			Check:       CheckNginx,
			Permission:  needsNginx,
			evaluate:    evaluateNginxConfig,
		},
	}
}

func listenerKeys() []Key {
	return []Key{{
		Name: "hosting.listener.get",
		Parameters: []Parameter{{
			Name: "port", Description: "the local port, 0 for all", Default: "0", Allowed: wholeNumber{min: 0, max: 65535},
		}},
		Description: "Listening sockets by address with their processes, SO_REUSEPORT groups, and those that take clients of an nginx.",
		Result:      JSON,
		Check:       CheckListener,
		Permission:  needsPeers,
		evaluate:    evaluateListener,
	}}
}

func evaluateNginxDiscovery(ctx context.Context, c *Checks, _ map[string]string) (any, error) {
	return c.nginxRows(ctx)
}

func evaluateNginxConfig(ctx context.Context, c *Checks, values map[string]string) (any, error) {
	return c.nginxReport(ctx, values["instance"])
}

func evaluateListener(ctx context.Context, c *Checks, values map[string]string) (any, error) {
	port, err := strconv.ParseUint(values["port"], 10, 16)
	if err != nil {
		return nil, err
	}

	// Of all ports the processes would take long to find, and the payload would be long.
	return c.listenerReport(ctx, uint16(port), port != 0)
}
