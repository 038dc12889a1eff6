package zabbixagent

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/fakeplugin"
)

// The race detector alone holds up a process's exit for a second.
const patience = 10 * time.Second

// startVariable makes this binary a program that starts an agent, prints its pid, and waits.
const startVariable = "AGENT_TEST_START"

func TestMain(m *testing.M) {
	fakeplugin.Main()
	if version := os.Getenv(startVariable); version != "" {
		a, err := Start(Options{Version: Version(version)})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(a.PID(), a.dir)
		<-a.Exited()
	}
	os.Exit(m.Run())
}

// eachVersion runs a test beside the same of the other version.
func eachVersion(t *testing.T, test func(*testing.T, Version)) {
	for _, version := range Versions() {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

func withPlugin(t *testing.T, v Version) *Agent {
	path, err := os.Executable()
	require.NoError(t, err)
	return StartT(t, Options{Version: v, Plugin: path})
}

func TestARealAgentAnswers(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		a := StartT(t, Options{Version: v})
		value, err := a.Get("agent.ping")
		require.NoError(t, err)
		require.Equal(t, "1", value)
		value, err = a.GetTimeout("agent.version", 3)
		require.NoError(t, err)
		require.Regexp(t, regexp.QuoteMeta(string(v))+`\.\d+$`, value)
		_, err = a.Get("no.such.key")
		var reason *NotSupported
		require.ErrorAs(t, err, &reason)
		require.Contains(t, reason.Reason, "Unknown metric no.such.key")
		require.Contains(t, a.Log(), "Starting Zabbix Agent 2")
		require.Empty(t, a.PluginPIDs())
	})
}

func TestALoadablePluginAnswersThroughARealAgent(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		a := withPlugin(t, v)
		value, err := a.Get(fakeplugin.Key + "[a,b]")
		require.NoError(t, err)
		require.Equal(t, "a b", value)
		_, err = a.GetTimeout(fakeplugin.Key+"[fail]", 3)
		var reason *NotSupported
		require.ErrorAs(t, err, &reason)
		require.Contains(t, strings.ToLower(reason.Reason), "fail")
		require.NotEmpty(t, a.PluginPIDs())
	})
}

func TestStopLeavesNoProcessAndNoFile(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		a := withPlugin(t, v)
		_, err := a.Get(fakeplugin.Key)
		require.NoError(t, err)
		pids := append(a.PluginPIDs(), a.PID())
		require.NoError(t, a.Stop())
		require.Zero(t, a.ExitCode())
		require.False(t, slices.ContainsFunc(pids, running))
		require.NoDirExists(t, a.dir)
		require.Contains(t, a.Log(), "Zabbix Agent 2 stopped")
		require.NoError(t, a.Stop())
	})
}

func TestKillLeavesNoProcess(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		a := withPlugin(t, v)
		_, err := a.Get(fakeplugin.Key)
		require.NoError(t, err)
		pids := append(a.PluginPIDs(), a.PID())
		require.Greater(t, len(pids), 1)
		a.Kill()
		require.Equal(t, -1, a.ExitCode())
		require.Eventually(t, func() bool { return !slices.ContainsFunc(pids, running) }, patience, time.Millisecond)
		require.NoError(t, a.Stop())
		require.NoDirExists(t, a.dir)
	})
}

func TestAnAgentDiesWithWhoeverStartedIt(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		path, err := os.Executable()
		require.NoError(t, err)
		starter := exec.Command(path)
		starter.Env = append(os.Environ(), startVariable+"="+string(v))
		stdout, err := starter.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, starter.Start())
		var pid int
		var dir string
		_, err = fmt.Fscan(stdout, &pid, &dir)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		require.True(t, running(pid))
		require.NoError(t, starter.Process.Kill())
		require.Error(t, starter.Wait())
		require.Eventually(t, func() bool { return !running(pid) }, patience, time.Millisecond)
	})
}

func running(pid int) bool {
	_, ok := readProcess(pid)
	return ok
}

func TestABadConfigurationIsAStartErrorWithTheAgentsWords(t *testing.T) {
	eachVersion(t, func(t *testing.T, v Version) {
		_, err := Start(Options{Version: v, Lines: []string{"NoSuchOption=1"}})
		var failed *StartError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, 1, failed.ExitCode)
		require.Contains(t, failed.Output, "NoSuchOption")
		require.ErrorContains(t, err, "cannot start Zabbix agent "+string(v)+": it ended with code 1; mend what it says: ")
	})
}

func TestAPluginUnderAnotherNameIsAStartError(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	_, err = Start(Options{Version: V60, Plugin: path, Name: "Other"})
	var failed *StartError
	require.ErrorAs(t, err, &failed)
	require.Positive(t, failed.ExitCode)
	require.Contains(t, failed.Output, "Other")
}

// Agent 7.0 waits for ever for a plugin that it did not accept and that does not leave by itself.
func TestAnAgentThatHangsIsKilledAndIsAStartError(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	require.NoError(t, err)
	_, err = Start(Options{Version: V70, Plugin: path, Name: "Other", Timeout: 1})
	var failed *StartError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, -1, failed.ExitCode)
	require.ErrorContains(t, err, "cannot start Zabbix agent 7.0: it did not answer in time")
}

func TestAnotherUserMayRunTheAgent(t *testing.T) {
	if os.Getuid() != 0 {
		_, err := Start(Options{Version: V70, UID: 12345})
		require.ErrorContains(t, err, "cannot run the agent as user 12345")
		return
	}
	a, err := Start(Options{Version: V70, UID: 12345, GID: 12345})
	require.NoError(t, err)
	info, err := os.Stat(a.LogPath())
	require.NoError(t, err)
	require.EqualValues(t, 12345, owner(info))
	require.NoError(t, a.Stop())
}

func TestAVersionThatDoesNotExistIsRefused(t *testing.T) {
	_, err := Start(Options{Version: "5.0"})
	require.EqualError(t, err, `cannot tell where agent "5.0" comes from; use one of [6.0 7.0]`)
}
