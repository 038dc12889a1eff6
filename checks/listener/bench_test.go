package listener

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	manyListeners = 10_000
	// spareDescriptors are for everything else in this process.
	spareDescriptors = 100
)

// crowd has this thread listen on 10,000 sockets, in a network namespace of its own where this user may make one, and on
// two more of one address, whose port it returns. The sockets are closed and the thread is given up at the benchmark's end.
func crowd(b *testing.B) (port uint16) {
	b.Helper()

	// Never unlocked: the benchmark's goroutine ends and the thread with it.
	runtime.LockOSThread()

	if unix.Unshare(unix.CLONE_NEWNET) == nil {
		require.NoError(b, loopbackUp())
	}

	var limit unix.Rlimit
	require.NoError(b, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	limit.Cur = max(limit.Cur, min(limit.Max, manyListeners+spareDescriptors))
	require.NoError(b, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))

	for i := range manyListeners {
		open(b, listenTask{Network: TCP, Address: fmt.Sprintf("127.1.%d.%d:%d", i/250, i%250, 1024+i)})
	}

	pair := listenTask{Network: TCP, Address: "127.0.0.1:900", ReusePort: true}
	_, address := open(b, pair)
	open(b, pair)

	return address.Port()
}

// BenchmarkSnapshotOfAPort is bound to 1.5 ms among 10,000 listeners. It asks for TCP and UDP of both families.
func BenchmarkSnapshotOfAPort(b *testing.B) {
	port := crowd(b)
	take := snapshotOf(b, Query{Port: port}, 2)
	b.ReportAllocs()

	for b.Loop() {
		take()
	}
}

// BenchmarkSnapshotOfAll lists all 10,002.
func BenchmarkSnapshotOfAll(b *testing.B) {
	crowd(b)
	take := snapshotOf(b, Query{}, manyListeners+2)
	b.ReportAllocs()

	for b.Loop() {
		take()
	}
}

// BenchmarkSnapshotRatio runs the snapshot of a port, the one of all, and the kernel's production of /proc/net/tcp turn by
// turn, and reports how many times the first the others take, by the medians.
func BenchmarkSnapshotRatio(b *testing.B) {
	port := crowd(b)
	turns := []func(){snapshotOf(b, Query{Port: port}, 2), snapshotOf(b, Query{}, manyListeners+2), readTCP(b)}
	times := make([][]time.Duration, len(turns))

	for b.Loop() {
		for i, turn := range turns {
			turn()

			start := time.Now()
			turn()
			times[i] = append(times[i], time.Since(start))
		}
	}

	filtered := float64(median(times[0]))
	b.ReportMetric(filtered/1e6, "ms-filtered")
	b.ReportMetric(float64(median(times[1]))/filtered, "all-x")
	b.ReportMetric(float64(median(times[2]))/filtered, "proc-x")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkForeigners is what a poll pays while nobody but nginx listens on its port.
func BenchmarkForeigners(b *testing.B) {
	port := crowd(b)
	r := NewReader("/proc", "/sys")
	masters := []Master{{PID: os.Getpid()}}

	b.ReportAllocs()

	for b.Loop() {
		s, err := r.Snapshot(b.Context(), Query{Port: port})
		require.NoError(b, err)

		found, err := r.Foreigners(b.Context(), s, masters)
		require.NoError(b, err)
		require.Empty(b, found.Found)
	}
}

// BenchmarkFindHolders looks through all descriptors of the host, 10,000 in this process among them.
func BenchmarkFindHolders(b *testing.B) {
	crowd(b)

	r := NewReader("/proc", "/sys")

	b.ReportAllocs()

	for b.Loop() {
		_, search, err := r.findHolders(b.Context(), map[uint32]struct{}{1: {}})
		require.NoError(b, err)
		require.Zero(b, search.Unsearched)
	}
}

func BenchmarkCounters(b *testing.B) {
	r := NewReader("/proc", "/sys")

	b.ReportAllocs()

	for b.Loop() {
		_, err := r.Counters(0)
		require.NoError(b, err)
	}
}

func snapshotOf(b *testing.B, q Query, sockets int) func() {
	b.Helper()

	r := NewReader("/proc", "/sys")

	return func() {
		s, err := r.Snapshot(b.Context(), q)
		if err != nil || len(s.Sockets) < sockets {
			require.NoError(b, err)
			require.GreaterOrEqual(b, len(s.Sockets), sockets)
		}
	}
}

func readTCP(b *testing.B) func() {
	b.Helper()

	return func() {
		// /proc/self would show the namespace of the main thread.
		file, err := os.Open("/proc/thread-self/net/tcp")
		require.NoError(b, err)

		_, err = io.Copy(io.Discard, file)
		require.NoError(b, err)
		require.NoError(b, file.Close())
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)

	return times[len(times)/2]
}

// BenchmarkReport is a whole report of this host with all processes, as hosting.listener.get makes it.
func BenchmarkReport(b *testing.B) {
	r := NewReader("/proc", "/sys")

	b.ReportAllocs()

	for b.Loop() {
		_, err := r.Read(b.Context(), Options{Processes: true})
		require.NoError(b, err)
	}
}
