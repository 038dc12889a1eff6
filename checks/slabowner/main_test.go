package slabowner

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

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
