//go:build systemd

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/boot"
)

const (
	agentUnit     = "zabbix-agent2.service"
	helperSocket  = "zabbix-hosting-helper.socket"
	agentConf     = "/etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf"
	agentUser     = "zabbix"
	helperProgram = "/usr/sbin/zabbix-hosting-helper"
	pluginProgram = "/usr/sbin/zabbix-agent2-plugin/zabbix-agent2-plugin-hosting"

	// settleLimit is what an agent and its plugin take at most to answer after a restart: RestartSec=10s and their start.
	settleLimit = 30 * time.Second
	pollEvery   = 100 * time.Millisecond
)

// host is a machine of a hosting company's: Debian 12 with nginx and the agent.
type host struct {
	*boot.Machine
	t *testing.T
}

// newHost boots a machine and installs the agent as an administrator does.
func newHost(t *testing.T, agent Agent) *host {
	t.Helper()
	deb, err := agent.Deb()
	require.NoError(t, err)
	ask, err := Build("testenv/boot/e2e/cmd/ask", "test")
	require.NoError(t, err)
	h := &host{Machine: boot.StartT(t), t: t}
	require.NoError(t, h.CopyIn(t.Context(), ask, "/usr/local/bin/ask", "755"))
	h.install(deb)
	return h
}

// newInstalled is newHost with the product installed.
func newInstalled(t *testing.T, agent Agent) *host {
	t.Helper()
	deb, err := Package()
	require.NoError(t, err)
	h := newHost(t, agent)
	h.install(deb)
	h.requireAnswers()
	return h
}

// oldest is the agent that most tests take: what they are about is the same with both.
func oldest() Agent { return Agents()[0] }

// install installs a package with apt, which finds all that it needs in the machine, and returns what apt printed.
func (h *host) install(deb string) string {
	h.t.Helper()
	inside := "/var/cache/" + filepath.Base(deb)
	require.NoError(h.t, h.CopyIn(h.t.Context(), deb, inside, "644"))
	return h.root("apt-get", "install", "--yes", inside)
}

// root runs a command as root that must succeed, and returns its output.
func (h *host) root(argv ...string) string {
	h.t.Helper()
	return h.as(boot.Root, argv...)
}

// as runs a command as a user that must succeed, and returns its output.
func (h *host) as(user string, argv ...string) string {
	h.t.Helper()
	result := h.try(user, argv...)
	require.Zero(h.t, result.Status, "%s\n%s%s", strings.Join(argv, " "), result.Stdout, result.Stderr)
	return strings.TrimSpace(result.Stdout)
}

// try runs a command that may fail.
func (h *host) try(user string, argv ...string) boot.Result {
	h.t.Helper()
	result, err := h.Run(h.t.Context(), user, argv...)
	require.NoError(h.t, err)
	return result
}

// sh runs a script as root that must succeed.
func (h *host) sh(script string) string {
	h.t.Helper()
	return h.root("sh", "-e", "-c", script)
}

// write writes a file of root's.
func (h *host) write(path, content string) {
	h.t.Helper()
	require.NoError(h.t, h.Write(h.t.Context(), path, "644", strings.NewReader(content)))
}

// get asks the agent for a key that must have a value.
func (h *host) get(key string) string {
	h.t.Helper()
	return h.root("ask", key)
}

// failure asks the agent for a key that must have none, and returns why.
func (h *host) failure(key string) string {
	h.t.Helper()
	result := h.try(boot.Root, "ask", key)
	require.NotZero(h.t, result.Status, result.Stdout)
	return strings.TrimSpace(result.Stderr)
}

// getJSON asks the agent for a key whose value is JSON.
func getJSON[T any](h *host, key string) T {
	h.t.Helper()
	var value T
	require.NoError(h.t, json.Unmarshal([]byte(h.get(key)), &value))
	return value
}

// requireAnswers waits until the agent answers a key of the plugin.
func (h *host) requireAnswers() {
	h.t.Helper()
	h.eventually(func() bool { return h.try(boot.Root, "ask", "hosting.plugin.get").Status == 0 }, func() string { return "the agent does not answer" })
}

func (h *host) eventually(done func() bool, message func() string) {
	h.t.Helper()
	for deadline := time.Now().Add(settleLimit); !done(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			require.Fail(h.t, message())
		}
	}
}

// property is a property of a unit, as systemd has it now.
func (h *host) property(unit, name string) string {
	h.t.Helper()
	return h.root("systemctl", "show", "--value", "--property="+name, unit)
}

// mainPID is a service's process, 0 where none runs.
func (h *host) mainPID(unit string) int {
	h.t.Helper()
	pid, err := strconv.Atoi(h.property(unit, "MainPID"))
	require.NoError(h.t, err)
	return pid
}

// processes are the processes of a program by its path, also of one that was replaced since.
func (h *host) processes(program string) []string {
	h.t.Helper()
	return strings.Fields(h.sh(`for process in /proc/[0-9]*; do case $(readlink $process/exe) in ` + program + `*) echo ${process#/proc/};; esac; done`))
}

// journal is what a unit has logged since the machine booted.
func (h *host) journal(unit string) string {
	h.t.Helper()
	journal, err := h.Journal(h.t.Context(), unit)
	require.NoError(h.t, err)
	return journal
}

// askHelper asks the helper itself.
func (h *host) askHelper(user, target string) boot.Result {
	h.t.Helper()
	return h.try(user, "curl", "--silent", "--show-error", "--unix-socket", socketPath, "http://helper"+target)
}

// decode decodes what the helper answered.
func decode[T any](h *host, answer boot.Result) T {
	h.t.Helper()
	var value T
	require.Zero(h.t, answer.Status, answer.Stderr)
	require.NoError(h.t, json.Unmarshal([]byte(answer.Stdout), &value), answer.Stdout)
	return value
}
