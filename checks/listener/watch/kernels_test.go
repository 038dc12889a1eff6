//go:build kernels

package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// onOtherKernels are the tests that ask the kernel for sockets, and need neither another program than themselves nor a
// machine that is quick.
const onOtherKernels = "^(TestThePortThatTheKernelChose.*|TestSocketsOfOneProcessOnOneAddressAreOneEvent|TestAWatchIsStartedOnceAndEndsOnce|" +
	"TestLostRecords.*|TestWhoIsNotForeign|TestWhomTheKernelRefusedIsNotForeign|TestWhereSockDiag.*|TestAnOrdinaryUser.*|TestTwoRights.*|" +
	"TestThreeRights.*|TestPollingSeesUDP.*)$"

func TestTheWatchOnDebiansKernels(t *testing.T) {
	kernels.EachT(t, onOtherKernels, 10*time.Minute, func(t *testing.T, output string) {
		require.Regexp(t, `process 3 \(\d+: /package/test\), started by test \(\d+\) by init \(1\), listened on 127\.0\.0\.1:\d+ for \d+\.\d ms beside nginx \(master \d+\)`, output,
			"the stranger of a millisecond that had a UDP port of nginx's is named by a process with two rights")
	})
}
