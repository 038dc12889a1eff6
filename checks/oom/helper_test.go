package oom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// Others may have neither: the kernel log may be closed to who has no CAP_SYSLOG, and programs in the kernel take CAP_BPF and CAP_PERFMON.
func TestTheHelperUsesBothOfTheBestSources(t *testing.T) {
	t.Parallel()

	if !apart.InHelper(t) {
		return
	}

	tracker := NewTracker(thisHost(true))
	r := settled(t, tracker)
	require.True(t, r.VictimsKnown, r.VictimsError)
	require.Len(t, r.Sources, 2)
	require.NotNil(t, r.Sources[0].Since)
	require.Equal(t, []SourceState{
		{Source: SourceTracepoint, SourceName: "tracepoint", Used: true, Since: r.Sources[0].Since},
		{Source: SourceKernelLog, SourceName: "kernel_log", Used: true, Since: r.Sources[1].Since},
	}, r.Sources)
	require.NoError(t, tracker.Close())
}
