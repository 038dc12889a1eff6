//go:build kernels

package tracepoint

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// onOtherKernels are the tests that ask the kernel, and not only this package.
const onOtherKernels = "^(TestAVictimIsNamedWithItsSizesAndCgroup|TestEveryVictimOfAStormIsNamed|TestWhatFindsNoRoomIsCounted|TestCloseEndsAReading|" +
	"TestCloseLeavesNothingInTheKernel|TestSIGKILLLeavesNothingInTheKernel|TestAnOrdinaryUserMayNotWatch)$"

// Linux 6.1 tells the number of a victim, 6.12 the victim itself.
func TestVictimsAreNamedOnDebiansKernels(t *testing.T) {
	kernels.EachT(t, onOtherKernels, 5*time.Minute, func(t *testing.T, output string) {
		require.Contains(t, output, "--- PASS: TestEveryVictimOfAStormIsNamed")
	})
}
