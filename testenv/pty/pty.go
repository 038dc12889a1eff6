// Package pty makes terminals for tests, pts(4).
package pty

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// OpenT returns a terminal of a size, and the end from which what it shows is read. Both are closed at the test's end.
func OpenT(tb testing.TB, columns, rows uint16) (screen, terminal *os.File) {
	tb.Helper()

	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = screen.Close() })

	fd := int(screen.Fd())
	require.NoError(tb, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	require.NoError(tb, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}))

	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(tb, err)

	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = terminal.Close() })

	return screen, terminal
}
