package main

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// nginxValue is the part of hosting.nginx.config that tells what is wrong.
type nginxValue struct {
	StateName     string `json:"state_name"`
	Sentence      string `json:"sentence"`
	ReloadPending bool   `json:"reload_pending"`
	TestRunning   bool   `json:"test_running"`
	Foreigners    []struct {
		Sentence  string `json:"sentence"`
		Processes []struct {
			PID int `json:"pid"`
		} `json:"processes"`
	} `json:"foreigners"`
	SideEffectsTotal uint64 `json:"side_effects_total"`
}

func nginxOf(t *testing.T, a *zabbixagent.Agent, instance string) nginxValue {
	t.Helper()

	var value nginxValue

	decode(t, a, "hosting.nginx.config["+instance+"]", &value)
	require.Zero(t, value.SideEffectsTotal)

	return value
}

// The incident, as Zabbix sees it: nginx is well, its configuration breaks, somebody shares its port.
func TestANginxIsWatchedThroughARealAgent(t *testing.T) {
	t.Parallel()

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		n := nginx.StartT(t, nginx.Options{ReusePort: true, Workers: 2})
		a := startAgent(t, zabbixagent.Options{Version: version})

		var rows []map[string]string

		decode(t, a, "hosting.nginx.discovery", &rows)
		require.Contains(t, rows, map[string]string{
			"{#INSTANCE}": n.ConfPath(), "{#CONFIG}": n.ConfPath(), "{#BINARY}": n.Program(), "{#PRODUCT}": "nginx/1.22.1",
			"{#TRUSTED}": "1", "{#CONTAINER}": "0",
		})
		require.Equal(t, "valid", nginxOf(t, a, n.ConfPath()).StateName)

		require.NoError(t, n.Configure(nginx.Options{Server: []string{"retrun 204;"}}))
		require.Eventually(t, func() bool { return nginxOf(t, a, n.ConfPath()).StateName == "invalid" }, 20*time.Second, 200*time.Millisecond)

		value := nginxOf(t, a, n.ConfPath())
		require.True(t, strings.HasPrefix(value.Sentence, `unknown directive "retrun" in `+n.ConfPath()+":"), value.Sentence)
		require.True(t, value.ReloadPending)
		require.Empty(t, value.Foreigners)

		config := net.ListenConfig{Control: func(_, _ string, socket syscall.RawConn) error {
			return socket.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		}}
		thief, err := config.Listen(context.Background(), "tcp", n.Addr())
		require.NoError(t, err)

		defer thief.Close()

		value = nginxOf(t, a, n.ConfPath())
		require.Len(t, value.Foreigners, 1)
		require.Equal(t, os.Getpid(), value.Foreigners[0].Processes[0].PID)

		_, port, err := net.SplitHostPort(n.Addr())
		require.NoError(t, err)

		listeners := payload(t, a, "hosting.listener.get["+port+"]")
		require.Len(t, listeners["foreigners"], 1)
		require.Len(t, listeners["groups"], 1)
	})
}

// A test of 50,000 virtual hosts takes longer than an item may.
func TestASlowTestOfNginxDoesNotTimeTheItemOut(t *testing.T) {
	t.Parallel()

	program := badnginx.BuildT(t, badnginx.Honest)

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		n := nginx.PrepareT(t, nginx.Options{Main: []string{badnginx.Hold(30 * time.Second)}})
		a := startAgent(t, zabbixagent.Options{Version: version, Lines: []string{
			"Plugins.Hosting.Nginx.edge.Binary=" + program,
			"Plugins.Hosting.Nginx.edge.Config=" + n.ConfPath(),
			"Plugins.Hosting.Nginx.edge.Prefix=" + n.Dir(),
			"Plugins.Hosting.NginxTimeout=4s",
		}})

		value := nginxOf(t, a, "edge")
		require.Equal(t, "not_tested", value.StateName)
		require.True(t, value.TestRunning)

		require.Eventually(t, func() bool { return nginxOf(t, a, "edge").StateName == "timed_out" }, 30*time.Second, 500*time.Millisecond)
	})
}

func TestAnUnknownInstanceIsUnsupportedWithASentence(t *testing.T) {
	t.Parallel()

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		a := startAgent(t, zabbixagent.Options{Version: version})

		require.Contains(t, unsupported(t, a, "hosting.nginx.config[$(id)]"), `"$(id)": unknown instance`)
		require.Contains(t, unsupported(t, a, "hosting.listener.get[70000]"), `"70000" is not a whole number from 0 to 65535`)
	})
}
