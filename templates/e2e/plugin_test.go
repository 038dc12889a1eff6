//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// silent are the items that have no value on a host that was just set up and where all is well.
var silent = map[string]*regexp.Regexp{
	"nothing has failed":        regexp.MustCompile(`^site\.evidence\.`),
	"the kernel killed nobody":  regexp.MustCompile(`^kmem\.oom\.victim\.`),
	"a growth takes 10 minutes": regexp.MustCompile(`^kmem\..*growth`),
	"it counts nobody's memory": regexp.MustCompile(`^kmem\.cgroup\.`),
	"no systemd has started it": regexp.MustCompile(`^(kmem\.agent_unit|kmem\.units|nginx\.unit)\.`),
}

func TestARealAgentWithThePluginGivesEveryItemAValue(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		site := badsite.StartT(t, badsite.OKOverTLS())
		server := nginx.StartT(t, nginx.Options{})
		agent := zabbixagent.StartT(t, zabbixagent.Options{Version: s.Version(), Plugin: pluginBinary(t), Timeout: 10, Lines: []string{
			"Plugins.Hosting.Sites.shop.URL=" + site.URL(), "Plugins.Hosting.Sites.shop.VerifyCertificate=false", "Plugins.Hosting.Sites.shop.Interval=1s",
		}})
		host := zabbixapi.Host{Name: "web1", Agent: agent.Address(), Macros: map[string]string{
			// Other tests may run other nginx on this machine.
			"{$NGINX.LLD.FILTER.INSTANCE.MATCHES}": "^" + regexp.QuoteMeta(server.ConfPath()) + "$",
		}}
		for _, file := range ofHosts(files(t, s.Version())) {
			require.NoError(t, s.API().ImportTemplates(file.text))
			host.Templates = append(host.Templates, file.templates...)
		}

		started := time.Now()
		id, err := s.API().CreateHost(host)
		require.NoError(t, err)
		require.NoError(t, s.API().SpeedUp(id, "1s"))
		var items []zabbixapi.Item
		await(t, 2*patience, func() string {
			items, err = s.API().Items(id)
			require.NoError(t, err)
			missing := lacking(items)
			for _, object := range []string{"shop", server.ConfPath()} {
				if !discovered(items, object) {
					missing = append(missing, object+": not discovered")
				}
			}
			return strings.Join(missing, "\n")
		})
		t.Logf("%d items had all their values %.1f s after the host was made", len(items), time.Since(started).Seconds())
	})
}

// lacking tells which items that should have a value have none, and why.
func lacking(items []zabbixapi.Item) []string {
	var all []string
	for _, item := range items {
		switch {
		case item.Error != "":
			all = append(all, item.Key+": "+item.Error)
		case item.Enabled && item.Stored && item.LastAt.IsZero() && !mayBeSilent(item.Key):
			all = append(all, item.Key+": no value")
		}
	}
	return all
}

func mayBeSilent(key string) bool {
	for _, keys := range silent {
		if keys.MatchString(key) {
			return true
		}
	}
	return false
}

// discovered tells whether a discovery rule has made items for an object.
func discovered(items []zabbixapi.Item, object string) bool {
	for _, item := range items {
		if item.Discovered && strings.Contains(item.Key, object) {
			return true
		}
	}
	return false
}
