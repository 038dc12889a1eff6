//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// patience is how long a busy machine may take for what an idle one does in 1 to 10 s.
const patience = 90 * time.Second

// eachVersion runs a test with a server of its own of each version, which has never run before.
func eachVersion(t *testing.T, test func(*testing.T, *zabbixserver.Server)) {
	withVersions(t, zabbixserver.Versions(), test)
}

// eachVersionUnlessShort does the same, in short runs only with 7.0: it is for tests that take a minute or two with each.
func eachVersionUnlessShort(t *testing.T, test func(*testing.T, *zabbixserver.Server)) {
	versions := zabbixserver.Versions()
	if testing.Short() {
		versions = []zabbixserver.Version{zabbixserver.V70}
	}
	withVersions(t, versions, test)
}

func withVersions(t *testing.T, versions []zabbixserver.Version, test func(*testing.T, *zabbixserver.Server)) {
	for _, version := range versions {
		t.Run("Zabbix "+string(version), func(t *testing.T) {
			test(t, zabbixserver.StartT(t, zabbixserver.Options{Version: version}))
		})
	}
}

// pluginBinary is the plugin that `make build` has made.
func pluginBinary(t *testing.T) string {
	t.Helper()
	path, err := builddir.Path("zabbix-agent2-plugin-hosting")
	require.NoError(t, err)
	require.FileExists(t, path, "run make build")
	return path
}

// await waits until nothing is missing any more.
func await(t *testing.T, limit time.Duration, missing func() string) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Second) {
		lack := missing()
		if lack == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s this is still missing:\n%s", limit, lack)
		}
	}
}
