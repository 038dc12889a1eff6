package slab

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// Slabinfo is root's alone.
func TestTheHelperReadsTheCaches(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		require.ErrorContains(t, apart.AsHelper(func() error { return nil }), "run the test as root")

		return
	}

	if !apart.Here() {
		apart.Run(t, apart.Place{Helper: true})

		return
	}

	_, err := NewReader("/proc", "/sys", nil).Read()
	require.NoError(t, err)
}
