package packaging

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dpkg runs Debian's own dpkg on the host's tree, with Debian's own deb-systemd-helper and deb-systemd-invoke for the scripts.
func (h *host) dpkg(t *testing.T, arguments ...string) {
	t.Helper()

	h.write(t, "", "var/lib/dpkg/updates/.keep", "var/lib/dpkg/info/.keep")

	if !h.has("var/lib/dpkg/status") {
		h.write(t, "", "var/lib/dpkg/status")
	}

	h.run(t, "dpkg", append([]string{
		"--root=" + h.root, "--log=" + filepath.Join(h.root, "dpkg.log"), "--force-not-root", "--force-script-chrootless", "--force-depends", "--force-confdef",
	}, arguments...)...)
}

func TestADebIsInstalledUpgradedRemovedAndPurged(t *testing.T) {
	first, newer := only(t, "_"+runtime.GOARCH+".deb"), packages.newer
	h := newHost(t, true)
	before := h.files(t)

	h.dpkg(t, "--install", first)
	require.Equal(t, []string{reloaded, helperStop, socketStart, triedWith, agentStart}, h.happened(t))
	require.True(t, h.has(wantsLink))
	require.Contains(t, h.read(t, confTo), "Plugins.Hosting.System.Path=/"+installedTo+"\n")

	edited := h.read(t, confTo) + "Plugins.Hosting.Sites.shop.URL=https://shop.example/\n"
	h.write(t, edited, confTo)
	h.dpkg(t, "--install", newer)
	require.Equal(t, []string{reloaded, helperStop, socketStart, triedWith, agentStart}, h.happened(t))
	require.Equal(t, edited, h.read(t, confTo))

	// The agent lets go of the plugin while that is still there, and after that nothing of its configuration names it.
	h.dpkg(t, "--remove", pluginName)
	require.Equal(t, []string{helperStop, triedAlone, agentStart, reloaded}, h.happened(t))
	require.False(t, h.has(confTo))
	require.False(t, h.has(installedTo))
	require.False(t, h.has(wantsLink))
	require.False(t, h.has("usr/lib/systemd/system/zabbix-agent2.service.d"))

	h.dpkg(t, "--install", newer)
	require.Equal(t, []string{reloaded, helperStop, socketStart, triedWith, agentStart}, h.happened(t))
	require.Equal(t, edited, h.read(t, confTo))
	require.True(t, h.has(wantsLink))

	h.dpkg(t, "--purge", pluginName)
	require.Equal(t, []string{helperStop, triedAlone, agentStart, reloaded}, h.happened(t))
	require.Equal(t, before, h.files(t))
}

func TestAPurgeAfterARemovalLeavesNothing(t *testing.T) {
	h := newHost(t, true)
	before := h.files(t)

	h.dpkg(t, "--install", only(t, "_"+runtime.GOARCH+".deb"))
	h.dpkg(t, "--remove", pluginName)
	require.Contains(t, h.files(t), confTo+".disabled")
	h.dpkg(t, "--purge", pluginName)
	require.Equal(t, before, h.files(t))
}

func TestADebIsInstalledBesideAnAgentWhoseConfigurationIsWrong(t *testing.T) {
	h := newHost(t, true)
	h.write(t, "1", "agent-status")

	h.dpkg(t, "--install", only(t, "_"+runtime.GOARCH+".deb"))
	require.Equal(t, []string{reloaded, helperStop, socketStart, triedWith}, h.happened(t))
	require.Contains(t, h.read(t, "var/lib/dpkg/status"), "Status: install ok installed\n")
}

// Policy is how an image is built without anything being started.
func TestADebRespectsAHostThatMayStartNothing(t *testing.T) {
	h := newHost(t, true)
	h.write(t, "#!/bin/sh\nexit 101\n", "usr/sbin/policy-rc.d")

	h.dpkg(t, "--install", only(t, "_"+runtime.GOARCH+".deb"))
	require.Equal(t, []string{reloaded, triedWith}, h.happened(t))
	require.True(t, h.has(wantsLink))
}

// files returns the names of what is on the host but dpkg's own files and logs.
func (h *host) files(t *testing.T) []string {
	t.Helper()

	var names []string

	require.NoError(t, filepath.WalkDir(h.root, func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, h.root+string(os.PathSeparator))
		if err == nil && !entry.IsDir() && !strings.HasPrefix(name, "var/lib/dpkg/") && !strings.HasSuffix(name, "log") {
			names = append(names, name)
		}

		return err
	}))

	return names
}
