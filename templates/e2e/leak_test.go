//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// leak is memory of the kernel in messages that nobody reads: sockets that a program has lost.
type leak struct{ descriptors []int }

// messageCost is about what one message of messageSize takes from the kernel's caches.
const (
	messageSize = 256
	messageCost = 768
)

// start leaks a number of bytes.
func (l *leak) start(t *testing.T, bytes int) {
	t.Helper()
	message := make([]byte, messageSize)
	for leaked := 0; leaked < bytes; {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		l.descriptors = append(l.descriptors, pair[0], pair[1])
		for {
			if _, err = unix.Write(pair[0], message); err != nil {
				break
			}
			leaked += messageCost
		}
		require.ErrorIs(t, err, unix.EAGAIN)
	}
}

// end gives all of it back.
func (l *leak) end() {
	for _, descriptor := range l.descriptors {
		_ = unix.Close(descriptor)
	}
	l.descriptors = nil
}
