//go:build kernels

package oomunit

import (
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// Their cgroups are of version 2 alone.
func TestKillsAreCountedByUnitOnDebiansKernels(t *testing.T) {
	for _, version := range kernels.Versions() {
		t.Run(string(version), func(t *testing.T) {
			t.Log(kernels.RunT(t, version, "^(TestTheRunningKernelCountsAKill)$", 2*time.Minute))
		})
	}
}
