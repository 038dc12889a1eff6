package agent

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const parentPollInterval = 500 * time.Millisecond

// waitForParent returns when the process that started this one is gone.
func waitForParent(parent int) {
	fd, err := unix.PidfdOpen(parent, 0)
	if err == nil {
		defer unix.Close(fd)
	}

	// Asked after the descriptor was opened, so that it cannot be another process with the same number.
	for os.Getppid() == parent {
		timeoutMS := -1
		events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}

		if err != nil { // Linux before 5.3
			timeoutMS, events = int(parentPollInterval.Milliseconds()), nil
		}

		if _, pollErr := unix.Poll(events, timeoutMS); pollErr == nil && err == nil {
			return
		}
	}
}
