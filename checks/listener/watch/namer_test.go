package watch

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

// TestAUserIsTheOneWhoOpenedTheSocket is of a service that becomes another user's behind listen(2): its event had the id of the one and the name of the
// other.
func TestAUserIsTheOneWhoOpenedTheSocket(t *testing.T) {
	t.Parallel()

	const daemon = 1

	r := listener.NewReader("/proc", "/sys")
	n := newNamer(r, nil)
	self, err := r.NewProcessReader().Read(os.Getpid())
	require.NoError(t, err)
	require.NotEqual(t, "daemon", self.User)

	o := n.fromKernel(&probe.Record{
		Socket: listener.Socket{UID: daemon}, Tasks: []probe.Task{{PID: self.PID, StartTicks: self.StartTicks, Name: self.Name}},
	}, false)
	require.False(t, o.process.Brief)
	require.Equal(t, uint32(daemon), o.uid)
	require.Equal(t, "daemon", o.user)
	require.Equal(t, &opener{uid: daemon, user: "daemon"}, n.nobody(daemon))
}
