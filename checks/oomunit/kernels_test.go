//go:build kernels

package oomunit

import (
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// Their cgroups are of version 2 alone.
func TestKillsAreCountedByUnitOnDebiansKernels(t *testing.T) {
	kernels.EachT(t, "^(TestTheRunningKernelCountsAKill)$", 2*time.Minute, func(*testing.T, string) {})
}
