package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	testnginx "zabbix-agent2-plugin-hosting/testenv/nginx"
)

func agentConf(t *testing.T, text string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "zabbix_agent2.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))

	return path
}

// findingsOf runs the doctor with an agent's configuration.
func findingsOf(t *testing.T, options string) (status int, byName map[string]finding) {
	t.Helper()

	var findings []finding

	status, out, errOut := run(t, "doctor", "--json", "--config", agentConf(t, options))
	require.NoError(t, json.Unmarshal([]byte(out), &findings), errOut)

	byName = make(map[string]finding)
	for _, f := range findings {
		byName[f.Name] = f
	}

	return status, byName
}

// The doctor was content with options with which the agent does not start.
func TestTheDoctorReadsTheAgentsConfiguration(t *testing.T) {
	t.Parallel()

	status, findings := findingsOf(t, "Plugins.Hosting.ProcPath=/nowhere/proc\n")
	require.Equal(t, exitFailed, status)
	require.Equal(t, markOK, findings["agent's options"].mark())
	require.Contains(t, findings["kernel memory"].Found, "/nowhere/proc/meminfo")

	status, findings = findingsOf(t, "Plugins.Hosting.ProcPath=proc\n")
	require.Equal(t, exitFailed, status)
	require.Equal(t, mendOptions, findings["agent's options"].Mend)
	require.Contains(t, findings["agent's options"].Found, "cannot use option Plugins.Hosting.ProcPath=proc (line 1): allowed is an absolute path")
	require.Equal(t, markOK, findings["kernel memory"].mark(), "the rest is tried with the defaults")

	status, out, _ := run(t, "doctor", "--config", "/no/such/file")
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, "NO  agent's options     cannot read /no/such/file: there is no such file")
}

func TestGetGoesByTheAgentsConfiguration(t *testing.T) {
	t.Parallel()

	status, out, errOut := run(t, "get", "hosting.site.discovery", "--config", agentConf(t, "Plugins.Hosting.Sites.shop.URL=http://shop.example/\n"))
	require.Equal(t, exitOK, status, errOut)
	require.Contains(t, out, `"{#SITE}":"shop"`)

	status, _, errOut = run(t, "get", "hosting.memory.get", "--config", agentConf(t, "Plugins.Hosting.SlabHistory=1s\n"))
	require.Equal(t, exitFailed, status)
	require.Contains(t, errOut, "cannot use option Plugins.Hosting.SlabHistory=1s")

	status, _, errOut = run(t, "get", "hosting.memory.get", "--config", "/no/such/file")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errOut, "cannot read /no/such/file: there is no such file")
}

func TestNginxKnowsTheInstancesOfTheAgentsConfiguration(t *testing.T) {
	t.Parallel()

	n := testnginx.PrepareT(t, testnginx.Options{})
	file := agentConf(t, "Plugins.Hosting.Nginx.spare.Binary="+n.Program()+"\nPlugins.Hosting.Nginx.spare.Config="+n.ConfPath()+
		"\nPlugins.Hosting.Nginx.spare.Prefix="+n.Dir()+"\n")

	_, out, errOut := run(t, "nginx", "--agent-config", file)
	require.Contains(t, out, "spare  nginx/1.22.1 ", errOut)

	status, _, errOut := run(t, "nginx", "--agent-config", "/no/such/file")
	require.Equal(t, exitNotTested, status)
	require.Contains(t, errOut, "cannot read /no/such/file: there is no such file")
}

func TestAnAbsentFileCountsOnlyWhereNobodyNamedIt(t *testing.T) {
	t.Parallel()

	flags := newFlags("x")
	file := optionsFlag(flags, "config")
	require.NoError(t, parse(flags, []string{"--config", filepath.Join(t.TempDir(), "none")}, 0))
	require.False(t, file.absent())

	flags = newFlags("x")
	file = optionsFlag(flags, "config")
	file.path = filepath.Join(t.TempDir(), "none")
	require.True(t, file.absent())

	options, found := examineOptions(file)
	require.Equal(t, finding{Name: "agent's options", Less: true, Found: noAgent}, found)
	require.Equal(t, "/proc", options.ProcPath)
}

func TestWhereNoNginxRunsNoneWasTested(t *testing.T) {
	t.Parallel()

	out, err := os.CreateTemp(t.TempDir(), "out")
	require.NoError(t, err)

	defer out.Close()

	// It ended with 0, as if all were valid.
	var ended *outcome

	require.ErrorAs(t, (&app{out: out}).showNginx([]*nginx.Report{}, false), &ended)
	require.Equal(t, &outcome{status: exitNotTested}, ended)

	text, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	require.Equal(t, noNginx, string(text))
}
