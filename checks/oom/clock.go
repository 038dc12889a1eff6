package oom

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// instant is one moment on the three clocks that matter.
type instant struct {
	wall time.Time
	// monotonic stands still in suspend, as the clock of the kernel log does; boot goes on.
	monotonic, boot time.Duration
}

func systemInstant() (instant, error) {
	var monotonic, boot unix.Timespec

	now := instant{wall: time.Now()}
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &monotonic); err != nil {
		return instant{}, fmt.Errorf("cannot tell the time since boot: %w", err)
	}

	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		return instant{}, fmt.Errorf("cannot tell the time since boot: %w", err)
	}

	now.monotonic, now.boot = time.Duration(monotonic.Nano()), time.Duration(boot.Nano())

	return now, nil
}

// bootAt is rounded, or else it would differ a little from one reading to the next.
func (i instant) bootAt() float64 { return seconds(i.wall.Add(-i.boot).Round(time.Second)) }

// toWall turns the time of a record into the time of day, good to the drift between the kernel's clocks: some seconds
// in a month.
func (i instant) toWall(sinceBoot time.Duration) time.Time {
	return i.wall.Add(sinceBoot - i.monotonic)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
