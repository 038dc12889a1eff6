// Package child starts the processes that tests need, so that none outlives the test's own process.
package child

import (
	"os/exec"
	"runtime"
)

// Start starts a command on a thread of its own and reaps it. The kernel sends SysProcAttr.Pdeathsig when the thread that
// started a process ends, so that thread does nothing else. The channel is closed when the process has ended; how it
// ended is in its ProcessState.
func Start(cmd *exec.Cmd) (exited <-chan struct{}, err error) {
	ended, started := make(chan struct{}), make(chan error)

	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()

		err := cmd.Start()
		started <- err

		if err == nil {
			_ = cmd.Wait()

			close(ended)
		}
	}()

	return ended, <-started
}
