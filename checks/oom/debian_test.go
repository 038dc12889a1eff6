//go:build kernels

package oom

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// onOtherKernels are the tests that ask the kernel, and not only this package.
const onOtherKernels = "^(TestAKillOfTheRunningKernelIsKnownFromEachSource|TestEveryVictimOfAStormHasItsCgroup|TestARestartRecountsNothing|" +
	"TestBootTimeOfTheRunningKernel)$"

func TestKillsAreKnownOnDebiansKernels(t *testing.T) {
	for _, version := range kernels.Versions() {
		t.Run(string(version), func(t *testing.T) {
			output := kernels.RunT(t, version, onOtherKernels, 5*time.Minute)
			t.Log(output)
			require.Contains(t, output, "--- PASS: TestEveryVictimOfAStormHasItsCgroup")
		})
	}
}
