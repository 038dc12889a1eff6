//go:build kernels

package slabowner

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// onOtherKernels are the tests that ask the kernel, and not only this package.
const onOtherKernels = "^(TestLeaksAtOnceAreRankedByTheirSizeAndNamed|TestWhatIsFollowedIsDecidedByTheAddress|TestAnAllocationIsNotedWithWhoMadeIt|" +
	"TestFewerAreFollowedWithoutABias|TestBulkFreeingsAreSeenWhereProgramsMayBeAtFunctions|TestAListOfFreedAddressesIsForgotten|TestThisKernels.*|TestTheCachesOfASession.*|TestASessionLeavesNothingInTheKernel|" +
	"TestAKilledProcessLeavesNothingInTheKernel|TestAProcessWithoutTheRightSaysWhatItNeeds|TestThisHostsCachesAreReadWithTheirAliases)$"

func TestSessionsWorkOnDebiansKernels(t *testing.T) {
	kernels.EachT(t, onOtherKernels, 5*time.Minute, func(t *testing.T, output string) {
		require.Contains(t, output, "--- PASS: TestLeaksAtOnceAreRankedByTheirSizeAndNamed")
	})
}
