package sandbox

import (
	"context"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Go's runtime interrupts its threads with SIGURG. A test failed once in CI, as the kernel was told an answer meanwhile: "interrupted system call".
func TestSignalsToThisProcessDisturbNoTest(t *testing.T) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			threads, _ := os.ReadDir("/proc/self/task")
			for _, thread := range threads {
				tid, _ := strconv.Atoi(thread.Name())
				for range 50 {
					_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
	for range 3 {
		result, err := only(TechniqueNotify).Test(context.Background(), fakeCommand("crowd"))
		require.NoError(t, err)
		require.Zero(t, result.ExitCode, string(result.Output))
		require.Greater(t, result.Notifications, 8000)
	}
}
