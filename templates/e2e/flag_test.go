//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// flagCase is what a plugin says one after the other, and the 0 or 1 that an item makes of each.
type flagCase struct {
	file, item, key, path string
	said                  []any
	want                  []string
}

const (
	flagsFor = 40 * time.Minute
	flagStep = time.Minute
)

func TestWhatAFleetCountsIsOneWhereThePluginSaysSo(t *testing.T) {
	cases := map[string]flagCase{
		"helpers that refuse, do not answer or have another version": {
			"hosting_plugin_by_zabbix_agent2.yaml", "plugin.helper.unusable", "hosting.plugin.get", "helper.state",
			[]any{0, 1, 2, 3, 4, 5}, []string{"0", "0", "0", "1", "1", "1"},
		},
		"nginx that would refuse what they have or what surrounds it": {
			nginxFile, `nginx.rejected["/etc/nginx/nginx.conf"]`, "hosting.nginx.config", "state",
			[]any{0, 1, 2, 3, 4, 5, 6}, []string{"0", "0", "1", "1", "0", "0", "0"},
		},
		"sites with as many failures in a row as their own limit": {
			siteFile, `site.down["shop"]`, "hosting.site.get", "consecutive_failures",
			[]any{0, 5, 6, 7}, []string{"0", "0", "1", "1"},
		},
	}
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		players := map[string]*player{}
		begin := time.Now().Add(-flagsFor)
		for name, c := range cases {
			f := read(t, filepath.Join("..", string(s.Version()), c.file))
			require.NoError(t, s.API().ImportTemplates(activeForm(t, f.text)))
			p := &player{host: hostName.ReplaceAllString(name, "-"), client: trapper.New(s.Address())}
			var err error
			p.id, err = s.API().CreateHost(zabbixapi.Host{Name: p.host, Templates: f.templates})
			require.NoError(t, err)
			players[name] = p
		}
		require.NoError(t, s.Sync())
		for _, p := range players {
			p.learn()
			p.send(p.valuesAt(begin, true))
			require.NoError(t, p.err)
		}
		await(t, patience, func() string {
			for name, p := range players {
				if _, err := s.API().Item(p.id, cases[name].item); err != nil {
					return err.Error()
				}
			}
			return ""
		})
		require.NoError(t, s.Sync())
		for name, c := range cases {
			t.Run(name, func(t *testing.T) { players[name].requireFlags(t, s, c, begin) })
		}
	})
}

// requireFlags says what a case says, one value each minute, and holds the item's values to what they should be.
func (p *player) requireFlags(t *testing.T, s *zabbixserver.Server, c flagCase, begin time.Time) {
	t.Helper()
	p.learn()
	for i, said := range c.said {
		p.send(p.valuesAt(begin.Add(time.Duration(i+1)*flagStep), true, change{c.key, c.path, said}))
	}
	require.NoError(t, p.err)
	item, err := s.API().Item(p.id, c.item)
	require.NoError(t, err)
	await(t, patience, func() string {
		history, err := s.API().History(item, len(c.said))
		require.NoError(t, err)
		slices.Reverse(history)
		got := []string{}
		for _, value := range history {
			got = append(got, value.Value)
		}
		if slices.Equal(got, c.want) {
			return ""
		}
		return fmt.Sprintf("%s is %v after %v, not %v", c.item, got, c.said, c.want)
	})
}
