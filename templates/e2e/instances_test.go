//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

const instanceDiscovery = "hosting.nginx.discovery"

// row is a discovered nginx; what is empty is not in it.
type discoveredNginx struct {
	Instance  string `json:"{#INSTANCE}"`
	Config    string `json:"{#CONFIG}"`
	Binary    string `json:"{#BINARY}"`
	Product   string `json:"{#PRODUCT}"`
	Trusted   string `json:"{#TRUSTED},omitempty"`
	Container string `json:"{#CONTAINER},omitempty"`
}

// Any user could make items by calling a process nginx, and each new container did.
func TestOnlyInstancesOfTheHostItselfAreDiscovered(t *testing.T) {
	rows := []discoveredNginx{
		{Instance: "roots", Trusted: "1", Container: "0"}, {Instance: "anybodys", Trusted: "0", Container: "0"},
		{Instance: "dockers", Trusted: "1", Container: "1"}, {Instance: "an older plugins"},
	}
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		f := read(t, filepath.Join("..", string(s.Version()), nginxFile))
		require.NoError(t, s.API().ImportTemplates(activeForm(t, f.text)))
		for host, c := range map[string]struct {
			macros map[string]string
			want   []string
		}{
			"by default": {nil, []string{"an older plugins", "roots"}},
			"of all": {
				map[string]string{"{$NGINX.LLD.FILTER.TRUSTED.MATCHES}": ".*", "{$NGINX.LLD.FILTER.CONTAINER.NOT_MATCHES}": "CHANGE_IF_NEEDED"},
				[]string{"an older plugins", "anybodys", "dockers", "roots"},
			},
		} {
			t.Run(host, func(t *testing.T) {
				id, err := s.API().CreateHost(zabbixapi.Host{Name: host, Templates: f.templates, Macros: c.macros})
				require.NoError(t, err)
				require.NoError(t, s.Sync())
				text, err := json.Marshal(rows)
				require.NoError(t, err)
				_, err = trapper.New(s.Address()).SendAgent(trapper.Value{Host: host, Key: instanceDiscovery, Value: string(text), At: time.Now()})
				require.NoError(t, err)
				awaitInstances(t, s, id, c.want)
			})
		}
	})
}

// awaitInstances waits until these instances of a host have items, and the discovery has no error.
func awaitInstances(t *testing.T, s *zabbixserver.Server, hostID string, want []string) {
	t.Helper()
	await(t, patience, func() string {
		items, err := s.API().Items(hostID)
		require.NoError(t, err)
		got := []string{}
		for _, item := range items {
			if name, found := strings.CutPrefix(item.Key, `nginx.state["`); found {
				got = append(got, strings.TrimSuffix(name, `"]`))
			}
		}
		slices.Sort(got)
		if slices.Equal(got, want) {
			return ""
		}
		return strings.Join(got, ", ") + " and not " + strings.Join(want, ", ")
	})
	var rules []struct{ Error string }
	require.NoError(t, s.API().Call("discoveryrule.get", map[string]any{"hostids": hostID, "output": []string{"error"}}, &rules))
	require.Equal(t, []struct{ Error string }{{""}}, rules)
}
