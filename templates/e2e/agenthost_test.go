//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/valueagent"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// polled are the keys that the server asks a healthy host for.
var polled = []string{
	pluginKey, memoryKey, oomKey, "hosting.slab.get[10,size]", "hosting.slab.top[10,size]", "hosting.slab.discovery[10]", "hosting.listener.get",
	eventsKey, "hosting.site.discovery", "hosting.site.get[shop]", "hosting.nginx.discovery", "hosting.nginx.config[/etc/nginx/nginx.conf]",
}

// agentOfHost is the agent, whose values a test chooses, of a host with all templates for passive checks, which is polled each second.
type agentOfHost struct {
	*valueagent.Agent
	id string
}

// newAgentHosts makes the hosts, each with macros, and has their agents answer as healthy ones do, but for the keys that are unknown to them.
func newAgentHosts(t *testing.T, s *zabbixserver.Server, macros map[string]map[string]string, unknown map[string][]string) map[string]*agentOfHost {
	t.Helper()
	var templates []string
	for _, f := range ofHosts(files(t, s.Version())) {
		require.NoError(t, s.API().ImportTemplates(f.text))
		templates = append(templates, f.templates...)
	}
	all := map[string]*agentOfHost{}
	for name, own := range macros {
		agent := &agentOfHost{Agent: valueagent.StartT(t)}
		for _, key := range polled {
			if !slices.Contains(unknown[name], key) {
				agent.answer(t, key)
			}
		}
		var err error
		agent.id, err = s.API().CreateHost(zabbixapi.Host{Name: name, Templates: templates, Agent: agent.Address(), Macros: own})
		require.NoError(t, err)
		require.NoError(t, s.API().SpeedUp(agent.id, "1s"))
		all[name] = agent
	}
	return all
}

// answer has the agent answer a key as that of a healthy host with changes.
func (a *agentOfHost) answer(t *testing.T, key string, changes ...change) {
	t.Helper()
	value, err := scenario{}.value(key, moment{}, changes...)
	require.NoError(t, err)
	a.Set(key, value)
}
