package helper

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

const looked = "; see systemctl status zabbix-hosting-helper.service"

func TestAHelperThatCannotBeReachedIsToldInASentence(t *testing.T) {
	t.Parallel()

	missing, closedToUs, silent, file := socketPath(t), socketPath(t), socketPath(t), socketPath(t)
	startDoubleAt(t, closedToUs, always(goodAnswer))
	require.NoError(t, os.Chmod(closedToUs, 0))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Chmod(file, 0o666))

	var nobody string

	apart.AsNobody(t, func() { nobody = userName() })

	// A socket that was left behind by who listened.
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: silent})
	require.NoError(t, err)
	listener.SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())
	require.NoError(t, os.Chmod(silent, 0o666))

	for name, test := range map[string]struct {
		socket   string
		state    State
		sentence string
	}{
		"no socket is there": {missing, Absent, missing + " is missing; run systemctl enable --now zabbix-hosting-helper.socket"},
		"nobody listens":     {silent, NotAnswering, "nobody listens at " + silent + "; run systemctl restart zabbix-hosting-helper.socket"},
		"it is a file":       {file, NotAnswering, "nobody listens at " + file + "; run systemctl restart zabbix-hosting-helper.socket"},
		"its directory is a file": {
			file + "/socket", NotAnswering, "cannot connect to " + file + "/socket: connect: not a directory" + looked,
		},
		"the path is too long": {
			missing + strings.Repeat("x", 100), NotAnswering, "cannot connect to " + missing + strings.Repeat("x", 100) + ": connect: invalid argument" + looked,
		},
		"it is closed to this user": {
			closedToUs, Refused, closedToUs + " is closed to user " + nobody + "; run as root or as the agent's user",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := NewClient(test.socket)

			// Who dials is the thread that asks.
			var err error
			apart.AsNobody(t, func() { _, err = c.JSON(t.Context(), instances) })

			unusable := requireUnusable(t, err, test.state, test.sentence)
			require.Equal(t, test.state != NotAnswering, errors.Is(err, fs.ErrPermission), "it counts as a missing permission")
			requireHealth(t, c, Health{State: test.state, Err: unusable, Requests: 1, Failures: 1})
		})
	}
}

func TestAQueueThatIsFullIsWaitedForAndThenToldOf(t *testing.T) {
	t.Parallel()

	socket := socketPath(t)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrUnix{Name: socket}))
	require.NoError(t, unix.Listen(fd, 0))

	first, err := net.Dial("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = first.Close() })

	_, err = net.Dial("unix", socket)
	require.ErrorIs(t, err, unix.EAGAIN)

	c := NewClient(socket)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()

	_, err = c.JSON(ctx, instances)
	requireUnusable(t, err, NotAnswering, "too many others wait for it"+looked)

	answered := make(chan error, 1)

	go func() {
		_, err := c.JSON(t.Context(), instances)
		answered <- err
	}()

	// Both are taken out of the queue, and the second is answered.
	for range 2 {
		accepted, _, err := unix.Accept(fd)
		require.NoError(t, err)
		_, err = unix.Write(accepted, []byte(goodAnswer))
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(accepted) })
	}

	require.NoError(t, <-answered)
}
