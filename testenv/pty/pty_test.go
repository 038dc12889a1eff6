package pty

import (
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The end of a command's output was lost once in CI: EIO came before the text.
func TestTheTextBeforeTheCloseIsReadWhole(t *testing.T) {
	t.Parallel()

	for range 3000 {
		screen, terminal := OpenT(t, 80, 24)
		written := make(chan error, 1)

		go func() {
			_, err := terminal.WriteString("a\nb\n")
			_ = terminal.Close()
			written <- err
		}()

		text, err := io.ReadAll(screen)
		require.ErrorIs(t, err, syscall.EIO)
		require.NoError(t, <-written)
		require.Equal(t, "a\r\nb\r\n", string(text))
		require.NoError(t, screen.Close())
	}
}
