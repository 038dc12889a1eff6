package slabowner

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
)

func TestASessionLeavesNothingInTheKernel(t *testing.T) {
	t.Parallel()

	if !alone(t, apart.Place{}) {
		return
	}

	// The library looks at what the kernel can do the first time only.
	for range 2 {
		s, err := start(hostOptions())
		require.NoError(t, err)

		programs := 4
		if s.bulk {
			programs++
		}

		held := inkernel.HeldByT(t, os.Getpid())
		require.Equal(t, []int{5, programs, programs}, []int{len(held.Maps), len(held.Programs), len(held.Links)})
		require.Equal(t, held, held.Left())

		s.detach()
		inkernel.RequireGoneT(t, inkernel.Objects{Programs: held.Programs, Links: held.Links})
		require.Len(t, held.Left().Maps, 5, "what was found stays")

		s.close()
		inkernel.RequireGoneT(t, held)
		require.Zero(t, inkernel.HeldByT(t, os.Getpid()).Count())
	}
}

const holdVariable = "HOSTING_TEST_HOLD_SESSION"

// holdSession is what a process does that is killed while a session runs.
func holdSession() {
	if os.Getenv(holdVariable) == "" {
		return
	}

	inkernel.Hold(start(hostOptions()))
}

func TestAKilledProcessLeavesNothingInTheKernel(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	inkernel.RequireGoneAfterSIGKILLT(t, holdVariable+"=1", func(held inkernel.Objects) {
		require.Equal(t, held, held.Left())
		require.GreaterOrEqual(t, held.Count(), 5+2*4)
	})
}
