package probe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/testenv/fentry"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

const noFunctions = "cannot watch UDP sockets at the kernel's functions: operation not permitted in spite of CAP_BPF and CAP_PERFMON; " +
	"use a kernel that runs programs there (fentry), as Debian's do"

// eachMeans runs a test with each means of watching UDP. Where the kernel does not run programs at its functions it is held
// to say so.
func eachMeans(t *testing.T, test func(t *testing.T, p *Probe, functions bool)) {
	t.Helper()

	for name, c := range map[string]struct {
		by        Means
		functions bool
	}{
		"at the kernel's functions": {AtFunctions(), true},
		"below a cgroup":            {BelowCgroup(cgroup.Unified("/sys")), false},
	} {
		t.Run(name, func(t *testing.T) {
			p, possible := watched(t, RingSize)
			if !possible {
				return
			}

			err := p.WatchUDP(c.by)
			if c.functions && !fentry.PossibleT(t) {
				require.EqualError(t, err, noFunctions)
				t.Log(err)

				return
			}

			require.NoError(t, err)
			test(t, p, c.functions)
		})
	}
}

func TestACgroupThatIsNotThereLeavesTCPWatched(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	require.ErrorContains(t, p.WatchUDP(BelowCgroup(t.TempDir())), "cannot watch UDP sockets below a cgroup: ")
	require.Len(t, p.loaded, 2)

	o := listeners.Start(t, listeners.Task{Interfaces: true, Listeners: 1}, inItsOwn())
	require.Len(t, drain(t, p, o.NamespaceID), 2)
	require.NoError(t, p.WatchUDP(BelowCgroup(cgroup.Unified("/sys"))), "another means may be tried")
}
