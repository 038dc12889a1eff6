//go:build kernels

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/testenv/boot"
	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
	"zabbix-agent2-plugin-hosting/testenv/kernels"
	"zabbix-agent2-plugin-hosting/testenv/passive"
)

// TestTheInstalledHelperWatchesOnDebiansKernels boots a Debian 12 with each kernel and installs the packages there. Its cgroups are of version 2, with all
// controllers, which a container here has not.
func TestTheInstalledHelperWatchesOnDebiansKernels(t *testing.T) {
	if kernels.Emulated() {
		installAll(t)
		requireWatched(t)
		requireLimited(t)
		requireKilled(t)
		requireOwner(t)

		return
	}

	tree, err := boot.Install()
	require.NoError(t, err)
	agent, err := Agents()[0].Deb()
	require.NoError(t, err)
	deb, err := Package()
	require.NoError(t, err)
	lists, err := builddir.Path("apt")
	require.NoError(t, err)
	stream, err := debian.Open(lists).Download("bookworm", "libnginx-mod-stream")
	require.NoError(t, err)

	system := kernels.System{Tree: tree, Files: append(stream, agent, deb)}

	for _, version := range kernels.Versions() {
		t.Run(string(version), func(t *testing.T) {
			t.Log(kernels.BootT(t, version, system, 20*time.Minute))
		})
	}
}

// slow is what an emulated machine takes at most for what is done at once elsewhere.
const slow = 2 * time.Minute

// What has nginx take datagrams at the shared address, too; the file is read at the configuration's outermost level.
const (
	sharedStreamConf = "/etc/nginx/modules-enabled/90-shared.conf"
	sharedStream     = "stream { server { listen " + sharedAddress + " udp reuseport; return \"\"; } }\n"
)

// installAll installs the packages that came with the test.
func installAll(t *testing.T) {
	t.Helper()
	packages, err := filepath.Glob(kernels.Inside + "/*.deb")
	require.NoError(t, err)
	require.Len(t, packages, 3)
	run(t, "dpkg", append([]string{"--install"}, packages...)...)
}

// requireWatched has strangers listen beside nginx for a millisecond, and wants the agent to name them.
func requireWatched(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(sharedConf, []byte(sharedServer), 0o644))
	require.NoError(t, os.WriteFile(sharedStreamConf, []byte(sharedStream), 0o644))
	require.NoError(t, os.WriteFile(parentPath, []byte(parentProgram), 0o755))
	require.NoError(t, os.Symlink(kernels.Inside+"/test", strangerPath))
	run(t, "systemctl", "restart", "nginx")

	watched := events(t, func(e *watch.Events) bool { return e.ForeignersKnown && len(e.Masters) > 0 })
	require.Equal(t, watch.Coverage{State: watch.StateWatching, StateName: "watching"}, watched.TCP)
	require.Equal(t, watch.Coverage{State: watch.StateWatching, StateName: "watching"}, watched.UDP)
	require.Zero(t, watched.Foreign)

	for i, network := range []listener.Network{listener.TCP, listener.UDP} {
		environment, err := stranger(time.Millisecond, network == listener.UDP)
		require.NoError(t, err)
		run(t, "env", environment, parentPath)

		named := events(t, func(e *watch.Events) bool { return e.Foreign > uint64(i) && e.Foreigners[0].LifetimeS != nil })
		require.Equal(t, uint64(i+1), named.Foreign)

		e := &named.Foreigners[0]
		requireStranger(t, e)
		require.Equal(t, network, e.Network)
		require.Less(t, *e.LifetimeS, 1.0)
		require.True(t, *e.ReusePort)
		t.Logf("%s: %s", network, e.Sentence)
	}
}

// events asks the agent until what it says is as wanted.
func events(t *testing.T, wanted func(*watch.Events) bool) watch.Events {
	t.Helper()

	return ask(t, eventsKey, wanted)
}

// ask asks the agent for a key until the value is as wanted.
func ask[T any](t *testing.T, key string, wanted func(*T) bool) T {
	t.Helper()

	return askFor(t, slow, key, wanted)
}

func askFor[T any](t *testing.T, limit time.Duration, key string, wanted func(*T) bool) T {
	t.Helper()

	agent := passive.Client{Address: "127.0.0.1:10050", Timeout: slow}

	for began := time.Now(); ; time.Sleep(time.Second) {
		var value T

		text, err := agent.Get(key)
		if err == nil {
			err = json.Unmarshal([]byte(text), &value)
		}

		if err == nil && wanted(&value) {
			return value
		}

		require.Less(t, time.Since(began), limit, "%s: %v", text, err)
	}
}
