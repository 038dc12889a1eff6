package oom

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// The kernel log may be closed to who has no CAP_SYSLOG.
func TestTheHelperReadsTheKernelLog(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		require.ErrorContains(t, apart.AsHelper(func() error { return nil }), "run the test as root")

		return
	}

	if !apart.Here() {
		apart.Run(t, apart.Place{Helper: true})

		return
	}

	r, err := NewTracker("/proc", "/dev/kmsg").Get()
	require.NoError(t, err)
	require.True(t, r.VictimsKnown, r.VictimsError)
}
