package terminal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/terminal"
	"zabbix-agent2-plugin-hosting/testenv/pty"
)

func notATerminal(t *testing.T) *os.File {
	t.Helper()

	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })

	return file
}

func TestOnlyATerminalIsOne(t *testing.T) {
	t.Parallel()

	_, tty := pty.OpenT(t, 80, 24)

	require.False(t, terminal.Is(notATerminal(t)))
	require.True(t, terminal.Is(tty))
}

func TestSizeIsTheTerminals(t *testing.T) {
	t.Parallel()

	_, wide := pty.OpenT(t, 200, 50)
	_, silent := pty.OpenT(t, 0, 0)

	for name, test := range map[string]struct {
		file          *os.File
		columns, rows int
	}{
		"a terminal with a size":     {wide, 200, 50},
		"a terminal that has none":   {silent, 80, 24},
		"a file that is no terminal": {notATerminal(t), 80, 24},
	} {
		columns, rows := terminal.Size(test.file)
		require.Equal(t, [2]int{test.columns, test.rows}, [2]int{columns, rows}, name)
	}
}

func TestLocaleTellsTheCharacters(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		environment map[string]string
		want        bool
	}{
		"no locale":                        {nil, false},
		"a language with UTF-8":            {map[string]string{"LANG": "de_DE.UTF-8"}, true},
		"the other spelling":               {map[string]string{"LANG": "C.utf8"}, true},
		"an old language":                  {map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
		"LC_ALL is above the others":       {map[string]string{"LC_ALL": "C", "LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, false},
		"LC_CTYPE is above LANG":           {map[string]string{"LC_CTYPE": "C.UTF-8", "LANG": "C"}, true},
		"an empty one is as if it was not": {map[string]string{"LC_ALL": "", "LANG": "C.UTF-8"}, true},
	} {
		require.Equal(t, test.want, terminal.UTF8(func(name string) string { return test.environment[name] }), name)
	}
}

func TestScreenDrawsInPlaceAndLeavesTheTerminalAsItWas(t *testing.T) {
	t.Parallel()

	shown, tty := pty.OpenT(t, 5, 3)

	screen, err := terminal.OpenScreen(tty)
	require.NoError(t, err)
	require.NoError(t, screen.Draw("a\nb\n"))
	require.NoError(t, screen.Draw("größer\nab\x1b[31mcdefg\x1b[0m\n12345\n4\n"))
	require.NoError(t, screen.Close())

	const (
		enter = "\x1b[?1049h\x1b[?25l\x1b[?7l"
		leave = "\x1b[?7h\x1b[?25h\x1b[?1049l"
		few   = "\x1b[H\x1b[2Ka\r\n\x1b[2Kb\r\n\x1b[J"
		// As many lines as the terminal has: a line break more would scroll it. What is cut off leaves no color behind.
		many = "\x1b[H\x1b[2Kgröße\r\n\x1b[2Kab\x1b[31mcde\x1b[0m\r\n\x1b[2K12345"
	)

	got, want := make([]byte, 0, 1024), enter+few+many+leave

	for len(got) < len(want) {
		n, err := shown.Read(got[len(got):cap(got)])
		require.NoError(t, err)

		got = got[:len(got)+n]
	}

	require.Equal(t, want, string(got))
}
