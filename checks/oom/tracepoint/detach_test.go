package tracepoint

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/inkernel"
	"zabbix-agent2-plugin-hosting/testenv/oomkill"
)

func TestMain(m *testing.M) {
	oomkill.Serve()

	if os.Getenv(watchVariable) != "" {
		inkernel.Hold(Open())
	}

	os.Exit(m.Run())
}

// watchVariable has this program watch until it is killed.
const watchVariable = "TRACEPOINT_TEST_WATCH"

// requireAll is one program with its link, and two maps.
func requireAll(t *testing.T, held inkernel.Objects) {
	t.Helper()

	require.Equal(t, []int{1, 1, 2}, []int{len(held.Links), len(held.Programs), len(held.Maps)}, "%v", held)
	require.Equal(t, held, held.Left())
}

func TestCloseLeavesNothingInTheKernel(t *testing.T) {
	// The library looks at what the kernel can do the first time only.
	for range 2 {
		w, possible := watched(t, ringSize)
		if !possible {
			return
		}

		held := inkernel.HeldByT(t, os.Getpid())
		requireAll(t, held)
		require.NoError(t, w.Close())
		require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())
		inkernel.RequireGoneT(t, held)
	}
}

func TestSIGKILLLeavesNothingInTheKernel(t *testing.T) {
	if _, possible := watched(t, ringSize); !possible {
		return
	}

	inkernel.RequireGoneAfterSIGKILLT(t, watchVariable+"=1", func(held inkernel.Objects) { requireAll(t, held) })
}
