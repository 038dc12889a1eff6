package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

const nobody = 65534

// TestMain makes the test binary the plugin when an agent, or the plugin's link, starts it.
func TestMain(m *testing.M) {
	if status, handled := agent.Main(os.Args, keys.Plugin("1.2.3-test")); handled {
		os.Exit(status)
	}

	os.Exit(m.Run())
}

// pluginBinary returns a copy of the test binary that any user may execute.
func pluginBinary(t *testing.T) string {
	t.Helper()

	dir, err := os.MkdirTemp("", "hosting")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))

	path, err := os.Executable()
	require.NoError(t, err)

	from, err := os.Open(path)
	require.NoError(t, err)

	defer from.Close()

	to, err := os.OpenFile(filepath.Join(dir, "plugin"), os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)

	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())

	return to.Name()
}

func startAgent(t *testing.T, o zabbixagent.Options) *zabbixagent.Agent {
	t.Helper()

	o.Plugin = pluginBinary(t)

	return zabbixagent.StartT(t, o)
}

func unsupported(t *testing.T, a *zabbixagent.Agent, key string) string {
	t.Helper()

	_, err := a.Get(key)

	var reason *zabbixagent.NotSupported

	require.ErrorAs(t, err, &reason, "key %s", key)

	return reason.Reason
}

func payload(t *testing.T, a *zabbixagent.Agent, key string) map[string]any {
	t.Helper()

	var decoded map[string]any

	decode(t, a, key, &decoded)

	return decoded
}

func decode(t *testing.T, a *zabbixagent.Agent, key string, into any) {
	t.Helper()

	value, err := a.Get(key)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(value), into), "value: %s", value)
}

func eachVersion(t *testing.T, test func(*testing.T, zabbixagent.Version)) {
	t.Helper()

	for _, version := range zabbixagent.Versions() {
		t.Run("agent "+string(version), func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

func TestEachKeyHasAValueInARealAgent(t *testing.T) {
	t.Parallel()

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		a := startAgent(t, zabbixagent.Options{
			Version: version, Lines: []string{
				"Plugins.Hosting.Sites.shop.URL=http://127.0.0.1/", "Plugins.Hosting.Nginx.edge.Binary=/usr/sbin/nginx",
			},
		})

		for _, key := range keys.All() {
			value, err := a.Get(key.Example())
			if err != nil && os.Getuid() != 0 && key.Permission.Needs != "" {
				require.ErrorContains(t, err, "cannot ask the root helper", "run by an ordinary user")

				continue
			}

			require.NoError(t, err, "key %s", key.Example())
			require.NotEmpty(t, value)

			if key.Result == keys.JSON || key.Result == keys.LLD {
				require.True(t, json.Valid([]byte(value)), "key %s: %s", key.Name, value)
			}
		}

		state := payload(t, a, "hosting.plugin.get")
		require.Equal(t, "1.2.3-test", state["version"])
		require.Equal(t, map[zabbixagent.Version]string{"6.0": "6.0", "7.0": "6.4"}[version], state["agent_protocol"])

		states := []any{"ok"}
		if os.Getuid() != 0 {
			states = append(states, "no_permission")
		}

		for name, check := range state["checks"].(map[string]any) {
			require.Contains(t, states, check.(map[string]any)["state_name"], "check %s: %v", name, check)
		}
	})
}

func TestWrongParametersAreUnsupportedWithASentence(t *testing.T) {
	t.Parallel()

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		a := startAgent(t, zabbixagent.Options{Version: version})

		for key, want := range map[string]string{
			"hosting.slab.get[0]":                `invalid first parameter "n": "0" is not a whole number from 1 to 1000; usage: hosting.slab.get[<n>,<sort>]`,
			"hosting.slab.get[-1]":               `"-1" is not a whole number from 1 to 1000`,
			"hosting.slab.get[99999999999999]":   `"99999999999999" is not a whole number from 1 to 1000`,
			"hosting.slab.get[five]":             `"five" is not a whole number from 1 to 1000`,
			"hosting.slab.get[5,weight]":         `invalid second parameter "sort": "weight" is not one of size, growth, objects`,
			"hosting.slab.get[5,size,x]":         `too many parameters; usage: hosting.slab.get[<n>,<sort>]`,
			"hosting.slab.discovery[0]":          `"0" is not a whole number from 1 to 1000`,
			"hosting.memory.sunreclaim[percent]": `"percent" is not one of bytes, pused`,
			"hosting.memory.get[x]":              `too many parameters; usage: hosting.memory.get`,
			"hosting.site.get":                   `first parameter "site" is required`,
			"hosting.site.get[shop]":             `shop`,
			"hosting.site.probe[ftp://x/]":       `"ftp://x/" is not an absolute http or https URL`,
			"hosting.oom.get[x]":                 `too many parameters; usage: hosting.oom.get`,
			"hosting.plugin.get[,]":              `too many parameters; usage: hosting.plugin.get`,
		} {
			require.Contains(t, unsupported(t, a, key), want, "key %s", key)
		}
	})
}

func TestOrdinaryUserIsToldWhatIsMissing(t *testing.T) {
	t.Parallel()

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		missing := filepath.Join(os.TempDir(), "no-such-helper.sock")

		o := zabbixagent.Options{Version: version, Lines: []string{"Plugins.Hosting.HelperSocket=" + missing}}
		if os.Getuid() == 0 {
			o.UID, o.GID = nobody, nobody
		}

		a := startAgent(t, o)

		for _, key := range []string{"hosting.slab.get", "hosting.slab.top", "hosting.slab.discovery"} {
			reason := unsupported(t, a, key)
			require.Contains(t, strings.ToLower(reason), "cannot evaluate "+key+": cannot read /proc/slabinfo")
			require.Contains(t, reason, "cannot ask the root helper: "+missing+" is missing; run systemctl enable --now zabbix-hosting-helper.socket")
		}

		memory := payload(t, a, "hosting.memory.get")
		require.Positive(t, memory["sunreclaim_bytes"])

		value, err := a.Get("hosting.memory.sunreclaim[pused]")
		require.NoError(t, err)
		require.Regexp(t, `^[0-9]+\.[0-9]{4}$`, value)

		checks := payload(t, a, "hosting.plugin.get")["checks"].(map[string]any)
		require.Equal(t, "no_permission", checks["slab"].(map[string]any)["state_name"])
		require.Equal(t, "ok", checks["memory"].(map[string]any)["state_name"])
	})
}

func TestWrongOptionStopsTheAgentAndIsNamed(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ line, want string }{
		"an option that does not exist": {
			"Plugins.Hosting.SlabHistroy=1h", "cannot use option Plugins.Hosting.SlabHistroy (line ",
		},
		"a value out of range": {
			"Plugins.Hosting.SlabHistory=1m",
			"cannot use option Plugins.Hosting.SlabHistory=1m (line ",
		},
		"a site with a malformed URL": {
			"Plugins.Hosting.Sites.shop.URL=shop.example", "cannot use option Plugins.Hosting.Sites.shop.URL=shop.example (line ",
		},
		"an empty value": {"Plugins.Hosting.ProcPath=", "cannot use option Plugins.Hosting.ProcPath= (line "},
	}

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()

				a, err := zabbixagent.Start(zabbixagent.Options{
					Version: version, Plugin: pluginBinary(t), Lines: []string{test.line},
				})
				if err == nil {
					require.NoError(t, a.Stop())
				}

				var failed *zabbixagent.StartError

				require.ErrorAs(t, err, &failed)
				require.Equal(t, 1, failed.ExitCode, "output: %s", failed.Output)
				require.Contains(t, strings.ToLower(failed.Output), strings.ToLower(test.want))
			})
		}
	})
}

func TestOptionsReachTheChecks(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "meminfo"),
		[]byte("MemTotal:       1000 kB\nSUnreclaim:      250 kB\n"), 0o644))

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		a := startAgent(t, zabbixagent.Options{
			Version: version,
			Lines:   []string{"Plugins.Hosting.ProcPath=" + root, "Plugins.Hosting.SlabHistory=2h"},
		})

		for mode, want := range map[string]string{"": "256000", "bytes": "256000", "pused": "25.0000"} {
			value, err := a.Get(fmt.Sprintf("hosting.memory.sunreclaim[%s]", mode))
			require.NoError(t, err)
			require.Equal(t, want, value)
		}
	})
}
