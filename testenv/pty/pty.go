// Package pty makes terminals for tests, pts(4).
package pty

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Screen is the end of a terminal from which what it shows is read.
type Screen struct {
	file   *os.File
	closed bool
}

// Read fails with EIO where the terminal is closed and everything that it showed was read.
//
// The kernel looks for text, then whether the terminal is closed (n_tty_read): what is written and closed in between is told as EIO,
// 6 times of 233,435 on two processors, and only the next read returns the text.
func (s *Screen) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	if errors.Is(err, syscall.EIO) && !s.closed {
		s.closed = true

		return s.file.Read(p)
	}

	return n, err
}

// Close closes this end; the terminal hangs up.
func (s *Screen) Close() error { return s.file.Close() }

// OpenT returns a terminal of a size, and the end from which what it shows is read. Both are closed at the test's end.
func OpenT(tb testing.TB, columns, rows uint16) (screen *Screen, terminal *os.File) {
	tb.Helper()

	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = master.Close() })

	fd := int(master.Fd())
	require.NoError(tb, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	require.NoError(tb, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}))

	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(tb, err)

	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = terminal.Close() })

	return &Screen{file: master}, terminal
}
