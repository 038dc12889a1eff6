package packaging

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/config"
)

var update = flag.Bool("update", false, "write the generated files")

const agentConfFile = "hosting.conf"

// TestTheAgentsConfigurationIsCurrent fails when an option was changed and `make docs` was not run.
func TestTheAgentsConfigurationIsCurrent(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile(agentConfFile, []byte(AgentConf()), 0o644))
	}

	current, err := os.ReadFile(agentConfFile)
	require.NoError(t, err)
	require.Equal(t, AgentConf(), string(current), "%s is stale; run `make docs`", agentConfFile)
}

func TestTheAgentsConfigurationAsItIsShippedChangesNothing(t *testing.T) {
	options, err := config.Load(writeAgentConf(t, AgentConf()))
	require.NoError(t, err)
	require.Equal(t, config.Defaults(), options)
}

var commentedOption = regexp.MustCompile(`(?m)^# (Plugins\..*)$`)

// An option without a default and without an example has an empty value here, which it does not allow.
func TestEveryOptionInTheAgentsConfigurationMayBeUncommented(t *testing.T) {
	options, err := config.Load(writeAgentConf(t, commentedOption.ReplaceAllString(AgentConf(), "$1")))
	require.NoError(t, err)

	require.Len(t, options.Sites, 1)
	require.Equal(t, "shop", options.Sites[0].Name)
	require.Equal(t, 5*time.Second, options.Sites[0].Interval)
	require.Equal(t, "https://shop.example/", options.Sites[0].Target.URL.String())
	require.Len(t, options.Nginx, 1)
	require.Equal(t, "/usr/sbin/nginx", options.Nginx[0].Binary)

	// What is left are the options of the host, and they stand there with their defaults.
	options.Sites, options.Nginx = config.Defaults().Sites, config.Defaults().Nginx
	require.Equal(t, config.Defaults(), options)
}

func TestEveryOptionIsInTheAgentsConfigurationOnce(t *testing.T) {
	var names []string
	for _, o := range config.All() {
		names = append(names, o.Name)
	}

	for _, o := range config.SiteOptions() {
		names = append(names, "Sites.shop."+o.Name)
	}

	for _, o := range config.NginxOptions() {
		names = append(names, "Nginx.edge."+o.Name)
	}

	for _, name := range names {
		require.Equal(t, 1, strings.Count(AgentConf(), "\n# Plugins.Hosting."+name+"="), "option %s", name)
	}

	require.Len(t, commentedOption.FindAllString(AgentConf(), -1), len(names))
}

func writeAgentConf(t *testing.T, text string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), agentConfFile)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))

	return path
}
