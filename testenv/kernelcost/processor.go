package kernelcost

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// OneProcessor has all threads of some processes run on one processor, or this thread where there are none: what they wake each other for between two of
// them differs from round to round by more than programs in the kernel cost.
func OneProcessor(tb testing.TB, processes ...int) {
	tb.Helper()

	threads := []int{0}
	if len(processes) == 0 {
		// A thread that stays locked ends with its goroutine.
		runtime.LockOSThread()
	} else {
		threads = threadsOf(tb, processes)
	}

	var allowed, one unix.CPUSet
	require.NoError(tb, unix.SchedGetaffinity(0, &allowed))

	first := 0
	for !allowed.IsSet(first) {
		first++
	}

	one.Set(first)

	for _, thread := range threads {
		require.NoError(tb, unix.SchedSetaffinity(thread, &one))
	}
}

func threadsOf(tb testing.TB, processes []int) (threads []int) {
	tb.Helper()

	for _, process := range processes {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
		require.NoError(tb, err)

		for _, entry := range entries {
			thread, err := strconv.Atoi(entry.Name())
			require.NoError(tb, err)

			threads = append(threads, thread)
		}
	}

	return threads
}

// ProcessorTime is what processes have used so far, by their clocks, which are never late (clock_getcpuclockid(3)).
func ProcessorTime(tb testing.TB, processes ...int) (sum time.Duration) {
	tb.Helper()

	// The kernel makes the number of such a clock of the process's, negated, and of the kind of time: what the scheduler has counted.
	const scheduled = 2

	for _, process := range processes {
		var now unix.Timespec
		require.NoError(tb, unix.ClockGettime(int32(^process<<3|scheduled), &now))

		sum += time.Duration(now.Nano())
	}

	return sum
}
