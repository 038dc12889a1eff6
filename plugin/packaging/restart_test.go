package packaging

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const refused = "zabbix-agent2-plugin-hosting: the agent was not restarted, as it would not start with its configuration (%s); " +
	"mend that, then run: systemctl restart zabbix-agent2.service\n"

// tried is what the trial finds on a host without the package.
const tried = "trial, configured no, installed no"

func TestTheAgentIsRestartedOnlyWhenItWouldStart(t *testing.T) {
	flood := strings.Repeat("2026/11/29 04:43:37.024210 failed to read response for plugin Hosting, failed to read type header, EOF\n", 3000)

	for name, test := range map[string]struct {
		says, status string
		change       func(*testing.T, *host)
		want         []string
		wantSaid     string
	}{
		"a configuration that is right": {says: saysValue, status: "0", want: []string{tried, agentStart}},
		"an agent that does not run stays as it is": {
			says: saysValue, status: "0", change: func(t *testing.T, h *host) { h.remove(t, agentActive) },
		},
		"an error of the agent is told": {
			says: "zabbix_agent2 [7]: ERROR: Cannot assign configuration: invalid parameter X at line 1\n", status: "1",
			want: []string{tried}, wantSaid: fmt.Sprintf(refused, "zabbix_agent2 [7]: ERROR: Cannot assign configuration: invalid parameter X at line 1"),
		},
		"a panic is told without its stack and what agent 6.0 repeats": {
			says: flood + "panic: failed to start plugin /x, no such file\n\ngoroutine 1 [running]:\nmain.main()\n", status: "2",
			want: []string{tried}, wantSaid: fmt.Sprintf(refused, "panic: failed to start plugin /x, no such file"),
		},
		"the last line is told where none says that it is the error": {
			says: "starting\nplugin is too old\n\n", status: "1",
			want: []string{tried}, wantSaid: fmt.Sprintf(refused, "plugin is too old"),
		},
		"a long line is cut": {
			says: "ERROR: " + strings.Repeat("x", 5000), status: "1",
			want: []string{tried}, wantSaid: fmt.Sprintf(refused, "ERROR: "+strings.Repeat("x", 593)),
		},
		"an agent that says nothing": {status: "3", want: []string{tried}, wantSaid: fmt.Sprintf(refused, "status 3")},
		"an agent that hangs": {
			says: "waiting\n", status: "124", want: []string{tried},
			wantSaid: fmt.Sprintf(refused, "it was not done with it in 30 s, and said: waiting"),
		},
		"an agent that does not read the plugin's configuration": {
			says: "hosting.plugin.get [m|ZBX_NOTSUPPORTED] [Unknown metric hosting.plugin.get]\n", status: "0",
			change:   func(t *testing.T, h *host) { h.write(t, "", confTo) },
			want:     []string{"trial, configured yes, installed no", agentStart},
			wantSaid: "zabbix-agent2-plugin-hosting: the agent does not offer the plugin's items; let HOST/etc/zabbix/zabbix_agent2.conf have the line Include=./zabbix_agent2.d/plugins.d/*.conf, and no DenyKey= that forbids hosting.*\n",
		},
		"after a removal it does not offer the items": {
			says: "hosting.plugin.get [m|ZBX_NOTSUPPORTED] [Unknown metric hosting.plugin.get]\n", status: "0",
			want: []string{tried, agentStart},
		},
		"a restart that fails": {
			says: saysValue, status: "0", change: func(t *testing.T, h *host) { h.write(t, "", "restart-fails") },
			want:     []string{tried, agentStart},
			wantSaid: "zabbix-agent2-plugin-hosting: the agent could not be restarted; see: journalctl -u zabbix-agent2.service\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, false)
			h.write(t, test.says, "agent-says")
			h.write(t, test.status, "agent-status")

			if test.change != nil {
				test.change(t, h)
			}

			said := h.run(t, "scripts/restart-agent.sh")
			require.Equal(t, test.wantSaid, strings.ReplaceAll(said, h.root, "HOST"))
			require.Equal(t, test.want, h.happened(t))
		})
	}
}

func TestTheConfigurationIsTriedAsTheAgentsUser(t *testing.T) {
	h := newHost(t, false)
	h.write(t, "zabbix\n", "agent-user")

	for name, script := range map[string]string{
		"chown":   `echo "chown $1" >>"$HOST/log"`,
		"runuser": `echo "runuser $1 $2 $3" >>"$HOST/log"; shift 3; exec "$@"`,
	} {
		path := filepath.Join(h.bin, name)
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}

	require.Empty(t, h.run(t, "scripts/restart-agent.sh"))
	require.Equal(t, []string{"chown zabbix", "runuser -u zabbix --", tried, agentStart}, h.happened(t))
}
