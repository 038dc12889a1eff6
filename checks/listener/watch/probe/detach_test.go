package probe

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
)

// requireAll are five programs, each with a link, and five maps.
func requireAll(t *testing.T, held inkernel.Objects) {
	t.Helper()

	require.Len(t, held["link_id"], 5)
	require.Len(t, held["prog_id"], 5)
	require.Len(t, held["map_id"], 5)
	require.Len(t, held.Left(), 15)
}

func TestCloseLeavesNothingInTheKernel(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	require.NoError(t, p.WatchUDP(cgroup.Unified("/sys")))
	require.Len(t, inkernel.HeldBy(t, os.Getpid())["link_id"], 2, "nobody is interested in UDP")
	require.NoError(t, p.SetPorts(ports(2000)))

	held := inkernel.HeldBy(t, os.Getpid())
	requireAll(t, held)
	require.NoError(t, p.Close())
	require.Empty(t, inkernel.HeldBy(t, os.Getpid()))
	inkernel.RequireNothing(t, held)
}

// watchVariable has this program watch until it is killed.
const watchVariable = "PROBE_TEST_WATCH"

func watchUntilKilled() {
	p, err := Open(RingSize)
	if err == nil {
		err = p.WatchUDP(cgroup.Unified("/sys"))
	}

	if err == nil {
		err = p.SetPorts(ports(2000))
	}

	fmt.Println(err)
	select {}
}

func TestSIGKILLLeavesNothingInTheKernel(t *testing.T) {
	if _, possible := watched(t, RingSize); !possible {
		return
	}

	inkernel.RequireNothingAfterSIGKILL(t, watchVariable+"=1", func(held inkernel.Objects) { requireAll(t, held) })
}
