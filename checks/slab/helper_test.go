package slab

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// Slabinfo is root's alone.
func TestTheHelperReadsTheCaches(t *testing.T) {
	t.Parallel()

	if !apart.InHelper(t) {
		return
	}

	_, err := NewReader("/proc", "/sys", nil).Read()
	require.NoError(t, err)
}
