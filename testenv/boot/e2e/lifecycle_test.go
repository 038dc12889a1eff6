//go:build systemd

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/testenv/boot"
)

const (
	nextVersion = "99.0.0"
	// longestSilence is how long an upgrade may leave items without a value: less than an item's usual interval.
	longestSilence = 20 * time.Second
)

// nextPackage makes the product's package of a later release: the same, but for its version and that of the programs in it.
func nextPackage(t *testing.T) string {
	t.Helper()
	deb, err := Package()
	require.NoError(t, err)
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	run(t, "dpkg-deb", "--raw-extract", deb, tree)
	for sources, target := range map[string]string{"plugin/cmd/" + product: pluginProgram, "plugin/cmd/zabbix-hosting-helper": helperProgram} {
		program, err := Build(sources, nextVersion)
		require.NoError(t, err)
		run(t, "install", "--mode=755", program, filepath.Join(tree, target))
	}
	control := filepath.Join(tree, "DEBIAN", "control")
	text, err := os.ReadFile(control)
	require.NoError(t, err)
	text = regexp.MustCompile(`(?m)^Version: .*$`).ReplaceAll(text, []byte("Version: "+nextVersion))
	require.NoError(t, os.WriteFile(control, text, 0o644))
	// The checksums are of the programs that were replaced; dpkg does without.
	require.NoError(t, os.RemoveAll(filepath.Join(tree, "DEBIAN", "md5sums")))
	next := filepath.Join(dir, product+"_"+nextVersion+".deb")
	run(t, "dpkg-deb", "--root-owner-group", "--build", tree, next)
	return next
}

func TestAnUpgradeLeavesTheAgentRunningAndNothingOfTheOldRelease(t *testing.T) {
	next := nextPackage(t)
	for _, agent := range Agents() {
		t.Run("agent "+agent.Version, func(t *testing.T) {
			t.Parallel()
			h := newInstalled(t, agent)
			h.get(rootKey)
			require.NotEmpty(t, h.processes(helperProgram))

			stop := h.keepAsking(rootKey)
			h.install(next)
			h.requireAnswers()
			h.eventually(func() bool { return getJSON[keys.PluginReport](h, "hosting.plugin.get").Version == nextVersion }, func() string { return "the old plugin runs on" })
			answers, silence := stop()
			t.Logf("%d answers during the upgrade, the longest silence was %s (bound %s)", answers, silence.Round(10*time.Millisecond), longestSilence)
			require.Less(t, silence, longestSilence)

			require.NotEmpty(t, h.get(rootKey))
			report := getJSON[keys.PluginReport](h, "hosting.plugin.get")
			require.Equal(t, helper.OK, report.Helper.State, report.Helper.Error)
			require.Equal(t, nextVersion, report.Helper.Version)
			for _, program := range []string{helperProgram, pluginProgram} {
				for _, pid := range h.processes(program) {
					require.Equal(t, program, h.root("readlink", "/proc/"+pid+"/exe"), "a process of the old release is left")
				}
			}
		})
	}
}

// keepAsking asks the agent for a key all the time. What it returns ends that, and gives the number of values and the longest time between two.
func (h *host) keepAsking(key string) (stop func() (values int, silence time.Duration)) {
	ctx, cancel := context.WithCancel(h.t.Context())
	type count struct {
		values  int
		silence time.Duration
	}
	counted := make(chan count, 1)
	go func() {
		var c count
		last := time.Now()
		for ctx.Err() == nil {
			result, err := h.Run(ctx, boot.Root, "ask", key)
			if err == nil && result.Status == 0 {
				c.values++
				c.silence = max(c.silence, time.Since(last))
				last = time.Now()
			}
			time.Sleep(pollEvery)
		}
		c.silence = max(c.silence, time.Since(last))
		counted <- c
	}()
	return func() (int, time.Duration) {
		cancel()
		c := <-counted
		return c.values, c.silence
	}
}

// ours are the places where something of the product may lie.
const ours = `find / -xdev \( -path /var/cache -o -path /var/log/journal -o -path /proc -o -path /sys -o -path /usr/local \) -prune -o \( -name '*hosting*' -print \)
find /run -xdev -name '*hosting*' -not -path '/run/host/*'
find /etc/systemd /run/systemd /lib/systemd -path '*zabbix-agent2.service.d*'`

func TestARemovedPackageLeavesTheAgentAloneAndAPurgedOneNothing(t *testing.T) {
	for _, agent := range Agents() {
		t.Run("agent "+agent.Version, func(t *testing.T) {
			t.Parallel()
			deb, err := Package()
			require.NoError(t, err)
			h := newHost(t, agent)
			before := h.sh(ours)
			h.install(deb)
			h.requireAnswers()
			h.get(rootKey)
			h.sh("echo 'Plugins.Hosting.SlabHistory=2h' >>" + agentConf)

			h.root("apt-get", "remove", "--yes", product)
			h.requireWithoutPlugin()
			require.Empty(t, h.processes(helperProgram))
			require.Equal(t, "not-found", h.property(helperSocket, "LoadState"))
			require.NotZero(t, h.try(boot.Root, "ls", socketPath).Status, "the socket is gone")

			h.install(deb)
			h.requireAnswers()
			require.NotEmpty(t, h.get(rootKey))
			require.Contains(t, h.root("cat", agentConf), "Plugins.Hosting.SlabHistory=2h", "the administrator's change is kept")

			h.root("apt-get", "purge", "--yes", product)
			h.requireWithoutPlugin()
			require.Equal(t, before, h.sh(ours))
			require.Empty(t, h.processes(pluginProgram))
			require.Empty(t, h.root("systemctl", "list-units", "--all", "--plain", "--no-legend", "*hosting*"))
		})
	}
}

// requireWithoutPlugin wants an agent that runs without the plugin, also when it is started again.
func (h *host) requireWithoutPlugin() {
	h.t.Helper()
	for range 2 {
		h.eventually(func() bool { return h.try(boot.Root, "ask", "agent.ping").Stdout == "1\n" }, func() string { return "the agent does not run: " + h.journal(agentUnit) })
		require.Contains(h.t, strings.ToLower(h.failure("hosting.plugin.get")), "unknown metric hosting.plugin.get")
		h.root("systemctl", "restart", agentUnit)
	}
}

func TestAfterARebootEverythingWorksAgain(t *testing.T) {
	for _, agent := range Agents() {
		t.Run("agent "+agent.Version, func(t *testing.T) {
			t.Parallel()
			h := newInstalled(t, agent)
			h.addTLS()
			allStarted, err := h.Reboot(t.Context())
			require.NoError(t, err)
			require.True(t, allStarted, h.root("systemctl", "list-units", "--failed", "--plain", "--no-legend"))
			require.Equal(t, "active", h.property(helperSocket, "ActiveState"))
			h.requireAnswers()
			require.NotEmpty(t, h.get(rootKey))
			requireTested(h, nginx.StateValid)
			require.Equal(t, 0, h.try(agentUser, product, "doctor").Status)
		})
	}
}
