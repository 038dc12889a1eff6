package site

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

// TestMain makes the test binary a page server where it started itself as one: what is measured here is the prober's
// part only.
func TestMain(m *testing.M) {
	pageserver.Main()
	os.Exit(m.Run())
}

func proberOf(tb testing.TB, url string) *Prober {
	tb.Helper()

	target, err := NewTarget(url)
	require.NoError(tb, err)

	return NewProber(target)
}

// BenchmarkProbe is the time that one probe of a page on loopback takes, the wait for the server included. How its CPU
// time compares with that of others is in testenv/cmd/bench.
func BenchmarkProbe(b *testing.B) {
	prober := proberOf(b, pageserver.StartT(b, badsite.OK())[0])

	b.ReportAllocs()

	for b.Loop() {
		if r := prober.Probe(context.Background()); r.Reason != ReasonOK {
			require.Equal(b, ReasonOK, r.Reason, r.Sentence)
		}
	}
}

// report reports a figure that has a bound, and says so where it is over.
func report(b *testing.B, measured, bound float64, unit string) {
	b.Helper()
	b.ReportMetric(measured, unit)

	if measured > bound {
		b.Logf("OVER: %s is %.2f, more than %.2f", unit, measured, bound)
	}
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()

	var usage unix.Rusage

	require.NoError(tb, unix.Getrusage(unix.RUSAGE_SELF, &usage))

	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// heapBytes is what is in use on the heap. Pools give up what they hold in the second collection.
func heapBytes() float64 {
	runtime.GC()
	runtime.GC()

	var stats runtime.MemStats

	runtime.ReadMemStats(&stats)

	return float64(stats.HeapAlloc)
}

// residentMB is the process's memory in millions of bytes, from the second field of statm (proc(5)).
func residentMB(tb testing.TB) float64 {
	tb.Helper()

	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(tb, err)

	var size, resident int

	_, err = fmt.Sscan(string(text), &size, &resident)
	require.NoError(tb, err)

	return float64(resident*os.Getpagesize()) / 1e6
}
