package slabowner

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// rounds is how often each benchmark measures with a session and without, turn by turn, so that noise of the machine meets both alike.
const rounds = 20

// reportOverhead reports a cost in ns without a session, and by how many percent it is higher while one runs: the least of all rounds, which other
// programs have disturbed least. The kernel's own part is what programs cost that do nothing, at the same tracepoints.
func reportOverhead(b *testing.B, unit string, cost func() float64) {
	b.Helper()

	// A start allocates a lot, whose collection would fall into one kind of round only.
	collect := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(collect)

	measure := func() float64 {
		debug.FreeOSMemory()
		cost()

		return cost()
	}

	bare, idle, session := math.Inf(1), math.Inf(1), math.Inf(1)

	for range rounds {
		bare = min(bare, measure())

		stop := idlePrograms(b)
		idle = min(idle, measure())

		stop()

		s, err := start(hostOptions())
		require.NoError(b, err)

		session = min(session, measure())

		s.close()
	}

	b.ReportMetric(bare, unit)
	b.ReportMetric(100*(session/bare-1), "overhead-%")
	b.ReportMetric(100*(idle/bare-1), "kernel's-part-%")
	b.ReportMetric(0, "ns/op")
}

// idlePrograms puts programs that do nothing where those of a session are.
func idlePrograms(b *testing.B) (stop func()) {
	b.Helper()

	s := &session{}

	for _, tracepoint := range []string{"kfree", "kmem_cache_free", "kmalloc", "kmem_cache_alloc"} {
		program, err := s.load(program("idle"))
		require.NoError(b, err)

		attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: program})
		require.NoError(b, err)

		s.links = append(s.links, attached)
	}

	return s.detach
}

// BenchmarkAllocationOnly is bound to 20 %: a socket is made and closed, over and over.
func BenchmarkAllocationOnly(b *testing.B) {
	if !mayFollow(b) {
		return
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	const sockets = 5_000

	for b.Loop() {
		reportOverhead(b, "ns/socket", func() float64 {
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
