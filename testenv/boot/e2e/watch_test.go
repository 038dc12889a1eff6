//go:build systemd

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener/watch"
)

// notTheHosts is why a watch polls in a machine that is a container.
const notTheHosts = "this process cannot see the host's processes, by whose numbers the kernel names who listens; " +
	"start it in the host's PID namespace, or give it the host's /proc"

// The machine is a container, in which processes have other numbers than those that the kernel names. What the kernel tells is proved by
// `make e2e-kernels` on a machine with a kernel of its own.
func TestInAContainerWhoListensBesideNginxForSecondsIsNamed(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	program, err := itself()
	require.NoError(t, err)
	require.NoError(t, h.CopyIn(t.Context(), program, strangerPath, "755"))
	h.sh("cat >" + parentPath + " <<'END'\n" + parentProgram + "END\nchmod 755 " + parentPath)
	h.write(sharedConf, sharedServer)
	h.root("systemctl", "reload", "nginx")

	h.eventually(func() bool { return getJSON[watch.Events](h, eventsKey).ForeignersKnown }, func() string { return h.get(eventsKey) })
	events := getJSON[watch.Events](h, eventsKey)
	require.Equal(t, []watch.State{watch.StatePolling, watch.StatePolling}, []watch.State{events.TCP.State, events.UDP.State})
	require.Equal(t, notTheHosts, events.TCP.Reason)
	require.Equal(t, notTheHosts, events.UDP.Reason)
	require.Less(t, events.TCP.BlindS, 3.0)

	environment, err := stranger(3*time.Second, false)
	require.NoError(t, err)
	h.root("env", environment, parentPath)
	h.eventually(func() bool { return getJSON[watch.Events](h, eventsKey).Foreign > 0 }, func() string { return h.get(eventsKey) })

	events = getJSON[watch.Events](h, eventsKey)
	require.Equal(t, uint64(1), events.Foreign)
	requireStranger(t, &events.Foreigners[0])
	t.Log(events.Foreigners[0].Sentence)
}
