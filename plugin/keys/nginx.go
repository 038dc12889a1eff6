package keys

import (
	"context"
	"strconv"
)

const (
	needsNginx = "read certificates' keys and what belongs to the master of nginx (root)"
	needsPeers = "see the processes of other users behind the sockets (root)"
)

// instanceName is only looked up among the instances that were found; nothing of it reaches a command line.
var instanceName = valid{words: "the name of an instance; none where there is only one", check: func(string) bool { return true }}

func nginxKeys() []Key {
	return []Key{
		{
			Name:        "hosting.nginx.discovery",
			Description: "Discovery of nginx instances: running masters and those named in the configuration.",
			Result:      LLD,
			Check:       CheckNginx,
			evaluate:    evaluateNginxDiscovery,
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

	return c.listenerReport(ctx, uint16(port))
}
