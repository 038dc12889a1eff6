package oom

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// The kernel log may be closed to who has no CAP_SYSLOG.
func TestTheHelperReadsTheKernelLog(t *testing.T) {
	t.Parallel()

	if !apart.InHelper(t) {
		return
	}

	r, err := NewTracker("/proc", "/dev/kmsg").Get()
	require.NoError(t, err)
	require.True(t, r.VictimsKnown, r.VictimsError)
}
