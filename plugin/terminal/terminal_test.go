package terminal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/terminal"
)

func TestOnlyATerminalIsOne(t *testing.T) {
	t.Parallel()

	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)

	defer file.Close()

	require.False(t, terminal.Is(file))

	// Opening the multiplexer makes a new pseudo-terminal, pts(4).
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)

	defer pty.Close()

	require.True(t, terminal.Is(pty))
}
