package slabowner

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/leak"
)

func TestMain(m *testing.M) {
	leak.Serve()
	holdSession()
	os.Exit(m.Run())
}

// mayFollow tells whether this user may ask the kernel at all. Of an ordinary user a test can see only that the kernel's refusal is told.
func mayFollow(tb testing.TB) bool {
	tb.Helper()

	if os.Geteuid() == 0 {
		return true
	}

	_, err := start(hostOptions())
	require.ErrorIs(tb, err, fs.ErrPermission)

	return false
}

// alone tells whether this is a process of the test's own, in which it is run again.
func alone(t *testing.T, p apart.Place) bool {
	t.Helper()

	switch {
	case !mayFollow(t):
		return false
	case !apart.Here():
		apart.Run(t, p)

		return false
	}

	return true
}
