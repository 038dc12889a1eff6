//go:build kernels

package probe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// TestTheProbeOnDebiansKernels runs all tests of this package but itself.
func TestTheProbeOnDebiansKernels(t *testing.T) {
	kernels.EachT(t, ".", 10*time.Minute, func(t *testing.T, output string) {
		require.Contains(t, output, "--- PASS: TestEveryListenerOfAMillisecondIsToldOnce/of_one_address")
		require.Contains(t, output, "--- PASS: TestEveryUDPSocketOfAMillisecondIsToldOnce/at_the_kernel's_functions")
		require.NotContains(t, output, noFunctions, "programs run at functions there")
	})
}
