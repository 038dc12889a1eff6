//go:build systemd || kernels

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/testenv/leak"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func TestMain(m *testing.M) {
	listeners.Run()
	leak.Serve()
	os.Exit(m.Run())
}

const (
	eventsKey = "hosting.listener.events"

	helperService = "zabbix-hosting-helper.service"
	socketPath    = "/run/zabbix-hosting-helper.sock"
	helperConf    = "/etc/zabbix/zabbix-hosting-helper.toml"
)

// Where a machine has what a stranger needs to listen beside nginx: an address that nginx shares, and a program with a parent of a known name.
const (
	sharedConf    = "/etc/nginx/conf.d/shared.conf"
	sharedAddress = "127.0.0.1:8080"
	sharedServer  = "server { listen " + sharedAddress + " reuseport; }\n"

	parentPath    = "/usr/local/bin/panel-cron"
	parentProgram = "#!/bin/sh\n" + strangerPath + "\nexit 0\n"
	strangerPath  = "/usr/local/bin/stranger"
)

// stranger is the environment in which the test's own binary is a stranger that listens at nginx's address once, for so long.
func stranger(life time.Duration, udp bool) (environment string, err error) {
	return listeners.Environment(listeners.Task{
		Listeners: 1, Life: life, Brief: listeners.Socket{Address: sharedAddress, ReusePort: true, UDP: udp},
	})
}

// itself is the test's own binary.
func itself() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find the test's own binary: %w; run it from a file that still exists", err)
	}

	return path, nil
}

// requireStranger wants the event of the stranger that was started by its parent.
func requireStranger(t *testing.T, e *watch.Event) {
	t.Helper()
	require.NotNil(t, e.Process)
	require.Equal(t, "stranger", e.Process.Name)
	require.Equal(t, strangerPath, e.Process.CommandLine)
	require.NotEmpty(t, e.Parents)
	require.Equal(t, "panel-cron", e.Parents[0].Name)
	require.Equal(t, "/bin/sh "+parentPath, e.Parents[0].CommandLine)
	require.Equal(t, netip.MustParseAddrPort(sharedAddress), e.Address)
	require.Len(t, e.Concerns, 1)
	require.Equal(t, listener.RelationSameAddress, e.Concerns[0].Relation)
	require.Contains(t, e.Sentence, fmt.Sprintf("process stranger (%d: %s), started by panel-cron (%d)", e.Process.PID, strangerPath, e.Parents[0].PID))
	require.Contains(t, e.Sentence, fmt.Sprintf(" on %s ", sharedAddress))
}

// run runs a command of this machine that must succeed.
func run(t *testing.T, name string, arguments ...string) {
	t.Helper()
	output, err := exec.Command(name, arguments...).CombinedOutput()
	require.NoError(t, err, string(output))
}
