//go:build systemd

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/testenv/boot"
)

const (
	rootKey = "hosting.slab.get[3,size]"
	// agentTimeout is what an agent 6.0 with its default configuration waits for a value.
	agentTimeout = 3 * time.Second
)

// asking asks the agent for a key in the background, and returns what gives the answer and the time that it took.
func (h *host) asking(key string) func() (boot.Result, time.Duration) {
	type answer struct {
		result boot.Result
		took   time.Duration
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		begun := time.Now()
		result, err := h.Run(h.t.Context(), boot.Root, "ask", key)
		answers <- answer{result, time.Since(begun), err}
	}()
	return func() (boot.Result, time.Duration) {
		h.t.Helper()
		a := <-answers
		require.NoError(h.t, a.err)
		return a.result, a.took
	}
}

// requireOneSentence wants an error that tells what could not be done and what mends it, on one line.
func requireOneSentence(t *testing.T, text string) {
	t.Helper()
	require.Regexp(t, `^cannot get a value, the agent says: cannot [^\n]*; [^\n]+\n$`, text)
}

func TestAHelperThatIsKilledDuringARequestCostsNoValue(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	h.get(rootKey)
	old := h.mainPID(helperService)
	// A stopped helper has taken the request and not answered it when it is killed.
	h.root("kill", "-STOP", strconv.Itoa(old))
	answer := h.asking(rootKey)
	h.eventually(func() bool { return h.waitingPeers(old) > 0 }, func() string { return "the request does not reach the helper" })
	h.root("kill", "-KILL", strconv.Itoa(old))
	result, _ := answer()
	if result.Status != 0 {
		requireOneSentence(t, result.Stderr)
	}
	t.Logf("asked while it was killed: status %d %s", result.Status, result.Stderr)

	h.eventually(func() bool { return h.try(boot.Root, "ask", rootKey).Status == 0 }, func() string { return "the helper does not come back" })
	require.NotEqual(t, old, h.mainPID(helperService))
}

// waitingPeers counts the bytes that a process's peers have sent on unix sockets and that it has not read, as ss tells them.
func (h *host) waitingPeers(pid int) int {
	h.t.Helper()
	text := h.sh(fmt.Sprintf("ss --unix --processes --no-header state connected | grep 'pid=%d,' | awk '{ sum += $3 } END { print sum + 0 }'", pid))
	bytes, err := strconv.Atoi(text)
	require.NoError(h.t, err)
	return bytes
}

func TestAHelperThatHangsCostsOneSentenceInTime(t *testing.T) {
	h := newInstalled(t, oldest())
	h.get(rootKey)
	helperPID := strconv.Itoa(h.mainPID(helperService))

	h.root("kill", "-STOP", helperPID)
	result, took := h.asking(rootKey)()
	require.NotZero(t, result.Status, result.Stdout)
	requireOneSentence(t, result.Stderr)
	require.Contains(t, result.Stderr, "cannot ask the root helper: no answer within ")
	require.NotContains(t, strings.ToLower(result.Stderr), "timeout while", "the plugin speaks before the agent loses patience")
	t.Logf("a helper that hangs: after %s: %s", took.Round(time.Millisecond), result.Stderr)
	require.Less(t, took, agentTimeout)
	require.NotEmpty(t, h.get("hosting.memory.get"), "what needs no helper works")
	state := getJSON[keys.PluginReport](h, "hosting.plugin.get").Helper
	require.Equal(t, helper.NotAnswering, state.State, state.Error)

	h.root("kill", "-CONT", helperPID)
	h.eventually(func() bool { return h.try(boot.Root, "ask", rootKey).Status == 0 }, func() string { return "the helper is not asked again" })
	require.Equal(t, helperPID, strconv.Itoa(h.mainPID(helperService)), "it is the same")
}

func TestSystemdReplacesAHelperThatHangsForGood(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	// The unit's own time is for hosts on their knees, and too long for a test.
	h.write("/etc/systemd/system/"+helperService+".d/watchdog.conf", "[Service]\nWatchdogSec=2s\n")
	h.root("systemctl", "daemon-reload")
	h.root("systemctl", "stop", helperService)
	h.get(rootKey)
	old := h.mainPID(helperService)
	h.root("kill", "-STOP", strconv.Itoa(old))
	h.eventually(func() bool { return h.mainPID(helperService) != old && h.try(boot.Root, "ask", rootKey).Status == 0 },
		func() string { return "systemd leaves the helper hanging: " + h.journal(helperService) })
	require.Contains(t, h.journal(helperService), "Watchdog timeout")
}

func TestSystemdBringsTheAgentBackWhateverEndsIt(t *testing.T) {
	for _, agent := range Agents() {
		for name, program := range map[string]string{"the agent is killed": "/usr/sbin/zabbix_agent2", "its plugin is killed": pluginProgram} {
			t.Run("agent "+agent.Version+", "+name, func(t *testing.T) {
				t.Parallel()
				h := newInstalled(t, agent)
				old := h.mainPID(agentUnit)
				for _, pid := range h.processes(program) {
					// One may end because of another.
					h.try(boot.Root, "kill", "-KILL", pid)
				}
				h.eventually(func() bool { return h.mainPID(agentUnit) != old && h.mainPID(agentUnit) != 0 }, func() string { return "the agent does not come back: " + h.journal(agentUnit) })
				h.requireAnswers()
				require.NotEmpty(t, h.get(rootKey))
				require.Len(t, h.processes("/usr/sbin/zabbix_agent2"), 1, "no other agent is left")
			})
		}
	}
}

func TestAHelperWithNothingToDoEnds(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	h.write(helperConf, "idle_exit = \"1s\"\n")
	h.root("systemctl", "stop", helperService)
	// What the plugin asks by itself would keep it busy.
	h.root("systemctl", "stop", agentUnit)
	require.Zero(t, h.askHelper(agentUser, "/v1/status").Status)
	first := h.mainPID(helperService)
	require.NotZero(t, first)
	h.eventually(func() bool { return h.mainPID(helperService) == 0 }, func() string { return "it stays" })
	require.Empty(t, h.processes(helperProgram))
	require.Equal(t, "success", h.property(helperService, "Result"))
	require.Equal(t, "active", h.property(helperSocket, "ActiveState"))

	require.Zero(t, h.askHelper(agentUser, "/v1/status").Status, "the next request starts another")
	require.NotEqual(t, first, h.mainPID(helperService))
}
