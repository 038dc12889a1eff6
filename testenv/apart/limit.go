package apart

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// LimitDescriptors leaves the process spare more open files than it has now, until the caller calls lift. What it closes
// meanwhile can be used again only where spare is not 0.
func LimitDescriptors(spare uint64) (lift func() error, err error) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		return nil, fmt.Errorf("cannot read the limit of open files: %w; try again", err)
	}

	var limit uint64

	if spare > 0 {
		// The kernel hands out the lowest number that is free, and none that is not below the limit.
		next, err := os.Open(os.DevNull)
		if err != nil {
			return nil, fmt.Errorf("cannot count the open files: %w; allow more", err)
		}

		limit = uint64(next.Fd()) + spare
		_ = next.Close()
	}

	// The hard limit stays: an ordinary user could not raise it again.
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: before.Max}); err != nil {
		return nil, fmt.Errorf("cannot lower the limit of open files: %w; try again", err)
	}

	return func() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &before) }, nil
}
