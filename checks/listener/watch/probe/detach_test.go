package probe

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/testenv/fentry"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
)

// requireAll are five programs, each with a link, and the maps.
func requireAll(t *testing.T, held inkernel.Objects) {
	t.Helper()

	maps := 5
	if fentry.PossibleT(t) {
		maps = 4
	}

	require.Equal(t, []int{5, 5, maps}, []int{len(held.Links), len(held.Programs), len(held.Maps)}, "%+v", held)
	require.Equal(t, held, held.Left())
}

// watchAllUDP takes the first means that this kernel has.
func watchAllUDP(p *Probe) error {
	if p.WatchUDP(AtFunctions()) == nil {
		return nil
	}

	return p.WatchUDP(BelowCgroup(cgroup.Unified("/sys")))
}

func TestCloseLeavesNothingInTheKernel(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	require.NoError(t, watchAllUDP(p))
	require.Len(t, inkernel.HeldByT(t, os.Getpid()).Links, 2, "nobody is interested in UDP")
	require.NoError(t, p.SetPorts(ports(2000)))

	held := inkernel.HeldByT(t, os.Getpid())
	requireAll(t, held)
	require.NoError(t, p.Close())
	require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())
	inkernel.RequireGoneT(t, held)
}

// watchVariable has this program watch until it is killed.
const watchVariable = "PROBE_TEST_WATCH"

func watchUntilKilled() {
	p, err := Open(RingSize)
	if err == nil {
		err = watchAllUDP(p)
	}

	if err == nil {
		err = p.SetPorts(ports(2000))
	}

	inkernel.Hold(p, err)
}

func TestSIGKILLLeavesNothingInTheKernel(t *testing.T) {
	if _, possible := watched(t, RingSize); !possible {
		return
	}

	inkernel.RequireGoneAfterSIGKILLT(t, watchVariable+"=1", func(held inkernel.Objects) { requireAll(t, held) })
}
