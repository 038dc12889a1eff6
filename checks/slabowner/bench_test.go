package slabowner

import (
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/inkernel"
	"zabbix-agent2-plugin-hosting/testenv/kernelcost"
	"zabbix-agent2-plugin-hosting/testenv/paired"
)

// tracepoints are those of a session, in the order of its programs.
var tracepoints = []string{"kfree", "kmem_cache_free", "kmalloc", "kmem_cache_alloc"}

// following has the programs of one session run, again and again: to start one takes longer than a round.
func following(b *testing.B) paired.Way {
	b.Helper()

	s, err := start(hostOptions())
	require.NoError(b, err)
	b.Cleanup(s.close)
	detach(b, s.links)

	s.links = nil

	return func() func() {
		var links []link.Link

		for i, tracepoint := range tracepoints {
			attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: s.programs[i]})
			require.NoError(b, err)

			links = append(links, attached)
		}

		return func() { detach(b, links) }
	}
}

func detach(b *testing.B, links []link.Link) {
	b.Helper()

	for _, one := range links {
		require.NoError(b, one.Close())
	}
}

// BenchmarkAllocationOnly is bound to 20 %: a socket is made and closed, over and over.
func BenchmarkAllocationOnly(b *testing.B) {
	if !mayFollow(b) {
		return
	}

	kernelcost.OneProcessor(b)

	const bound = 20

	load := kernelcost.Load{Unit: "socket", Turns: 100, Tracepoints: tracepoints, Programs: following(b), Do: sockets(b)}

	for b.Loop() {
		load.Measure(b).Report(b, load, bound)
	}
}

// sockets are made and closed.
func sockets(b *testing.B) func() (time.Duration, int) {
	b.Helper()

	return kernelcost.Loop(func() time.Duration { return threadTime(b) }, func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			require.NoError(b, err)
		}

		_ = unix.Close(fd)
	})
}

// BenchmarkNoSession compares what sockets cost where there was no session with what they cost after one has ended, when nothing of it is left in the
// kernel. The bound is that there is no difference.
func BenchmarkNoSession(b *testing.B) {
	if !mayFollow(b) {
		return
	}

	kernelcost.OneProcessor(b)

	do := sockets(b)
	// The kernel frees what it does not need any more a little later.
	settled := func() func() {
		time.Sleep(200 * time.Millisecond)
		require.Zero(b, inkernel.HeldByT(b, os.Getpid()).Count())

		return func() {}
	}

	for b.Loop() {
		costs := paired.Compare(40, func() float64 {
			spent, units := do()

			return float64(spent) / float64(units)
		}, settled, func() func() {
			s, err := start(hostOptions())
			require.NoError(b, err)
			s.close()

			return settled()
		})
		b.ReportMetric(costs.MorePct(1).Median, "more-%")
		b.ReportMetric(0, "bound-%")
		b.ReportMetric(0, "ns/op")
		b.Logf("a socket after a session: %s %% more than before", costs.MorePct(1))
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
