package thread_test

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

func TestTheFirstThreadIsNeverUsed(t *testing.T) {
	t.Parallel()

	for range 500 {
		require.NoError(t, thread.Run(func() error {
			require.NotEqual(t, os.Getpid(), unix.Gettid())

			return nil
		}))
	}
}

func TestWhatIsChangedOnAThreadOfItsOwnEndsWithIt(t *testing.T) {
	t.Parallel()

	before, err := os.Getwd()
	require.NoError(t, err)

	failed := errors.New("failed")
	elsewhere := t.TempDir()

	for range 100 {
		require.ErrorIs(t, thread.Run(func() error {
			require.NoError(t, unix.Unshare(unix.CLONE_FS))
			require.NoError(t, unix.Chdir(elsewhere))

			return failed
		}), failed)

		for range 4 {
			require.NoError(t, thread.Run(func() error {
				now, err := unix.Getwd()
				require.NoError(t, err)
				require.Equal(t, before, now)

				return nil
			}))
		}
	}
}

func TestStartDoesNotWait(t *testing.T) {
	t.Parallel()

	release, ended := make(chan struct{}), make(chan struct{})

	thread.Start(func() {
		<-release
		close(ended)
	})
	close(release)
	<-ended
}

func TestAPanicIsTheCallers(t *testing.T) {
	t.Parallel()

	require.PanicsWithValue(t, "on purpose", func() {
		_ = thread.Run(func() error { panic("on purpose") })
	})
}
