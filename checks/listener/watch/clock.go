package watch

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is the clock of the kernel's records (CLOCK_BOOTTIME).
func sinceBoot() time.Duration {
	var now unix.Timespec

	// It fails only where there is no such clock.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)

	return time.Duration(now.Nano())
}

// wallTime is what the clock on the wall shows of a moment, as it is set now.
func wallTime(at time.Duration) time.Time { return time.Now().Add(at - sinceBoot()) }

// unixSeconds is how payloads tell a time.
func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
