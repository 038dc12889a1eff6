package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// The trial has the running agent's own configuration, whose sockets an agent that is only tried would take away.
func TestARealAgentIsTriedWhileItRuns(t *testing.T) {
	plugin := builtPlugin(t)
	path := "Plugins.Hosting.System.Path=" + plugin + "\n"

	for _, version := range zabbixagent.Versions() {
		binary, err := zabbixagent.Install(version)
		require.NoError(t, err)

		for name, test := range map[string]struct {
			conf, include string
			want          []string
			wantSaid      string
		}{
			"a configuration that is right": {conf: path, include: "./zabbix_agent2.d/plugins.d/*.conf", want: []string{agentStart}},
			"an option that the plugin does not have": {
				conf: path + "Plugins.Hosting.SlabHistroy=1h\n", include: "./zabbix_agent2.d/plugins.d/*.conf", wantSaid: "annot use option Plugins.Hosting.SlabHistroy (line 2)",
			},
			"a plugin that is missing": {
				conf: path + "Plugins.Other.System.Path=/nonexistent/plugin\n", include: "./zabbix_agent2.d/plugins.d/*.conf", wantSaid: "fork/exec /nonexistent/plugin: no such file or directory",
			},
			"an option that the agent does not have": {
				conf: path + "Nonsense=1\n", include: "./zabbix_agent2.d/plugins.d/*.conf", wantSaid: "invalid parameter Nonsense at line 2",
			},
			"a configuration that is not included": {
				conf: path, include: "./zabbix_agent2.d/*.conf", want: []string{agentStart}, wantSaid: "the agent does not offer the plugin's items",
			},
		} {
			t.Run(string(version)+", "+name, func(t *testing.T) {
				a := zabbixagent.StartT(t, zabbixagent.Options{Version: version, Plugin: plugin})
				running, err := os.ReadFile(filepath.Join(filepath.Dir(a.LogPath()), "conf"))
				require.NoError(t, err)

				h := newHost(t, false)
				common := strings.ReplaceAll(string(running), path, "")
				h.write(t, common+"Include="+test.include+"\n", "etc/zabbix/zabbix_agent2.conf")
				h.write(t, test.conf, confTo)
				h.write(t, "#!/bin/sh\nLD_LIBRARY_PATH="+strings.Join(binary.Libraries, ":")+" exec "+binary.Path+` "$@"`+"\n", agentProgram)

				said := h.run(t, "scripts/restart-agent.sh")
				require.Contains(t, said, test.wantSaid)
				require.LessOrEqual(t, strings.Count(said, "\n"), 1, said)

				if test.wantSaid == "" {
					require.Empty(t, said)
				}

				require.Equal(t, test.want, h.happened(t))

				// Its plugin starts only now, over the socket that it listens on since its own start.
				value, err := a.Get("hosting.plugin.get")
				require.NoError(t, err)
				require.True(t, strings.HasPrefix(value, "{"), value)
			})
		}
	}
}
