package slabowner

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// rounds is how often each benchmark measures with a session and without, turn by turn, so that noise of the machine meets both alike.
const rounds = 10

// overhead is by how many percent a cost is higher while a session runs, by the medians of interleaved rounds.
func overhead(b *testing.B, cost func() float64) (bare, pct float64) {
	b.Helper()

	var without, with []float64

	cost()

	for range rounds {
		without = append(without, cost())

		s, err := start(hostOptions())
		require.NoError(b, err)

		with = append(with, cost())

		s.close()
	}

	slices.Sort(without)
	slices.Sort(with)

	bare = without[rounds/2]

	return bare, 100 * (with[rounds/2]/bare - 1)
}

// BenchmarkAllocationOnly is bound to 20 %: a socket is made and closed, over and over.
func BenchmarkAllocationOnly(b *testing.B) {
	if !mayFollow(b) {
		return
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	const sockets = 30_000

	for b.Loop() {
		bare, pct := overhead(b, func() float64 {
			before := threadTime(b)

			for range sockets {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
				if err != nil {
					require.NoError(b, err)
				}

				_ = unix.Close(fd)
			}

			return float64(threadTime(b)-before) / sockets
		})
		b.ReportMetric(bare, "ns/socket")
		b.ReportMetric(pct, "overhead-%")
		b.ReportMetric(0, "ns/op")
	}
}

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	b.Helper()

	var now unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now))

	return time.Duration(now.Nano())
}

// BenchmarkStart is how long it takes until allocations are followed.
func BenchmarkStart(b *testing.B) {
	if !mayFollow(b) {
		return
	}

	b.ReportAllocs()

	for b.Loop() {
		s, err := start(hostOptions())
		require.NoError(b, err)
		s.close()
	}
}

// BenchmarkSymbols is how long it takes to name an owner.
func BenchmarkSymbols(b *testing.B) {
	b.ReportAllocs()

	for b.Loop() {
		_, err := readSymbols("/proc", []uint64{0xffffffff81000000, 0xffffffff81800000})
		require.NoError(b, err)
	}
}
