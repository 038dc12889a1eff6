package slab_test

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/checks/slab"
)

const slabinfo = "/proc/slabinfo"

// BenchmarkBareRead is what the kernel alone takes to produce the file.
func BenchmarkBareRead(b *testing.B) {
	bare := bareRead(b)
	b.ReportAllocs()

	for b.Loop() {
		bare()
	}
}

// BenchmarkRead is what this package takes: slabinfo, meminfo, parsing, kinds and aliases.
func BenchmarkRead(b *testing.B) {
	read := packageRead(b)
	b.ReportAllocs()

	for b.Loop() {
		read()
	}
}

// BenchmarkProcfs is what prometheus/procfs takes for slabinfo alone.
func BenchmarkProcfs(b *testing.B) {
	read := procfsRead(b)
	b.ReportAllocs()

	for b.Loop() {
		read()
	}
}

// BenchmarkRatio runs the three turn by turn, so that noise of the machine meets all alike, and reports how many times
// the bare read this package and procfs need, by the medians. Each runs once untimed before, or else the first would
// pay for the processor's caches that the last has filled.
func BenchmarkRatio(b *testing.B) {
	turns := []func(){bareRead(b), packageRead(b), procfsRead(b)}
	times := make([][]time.Duration, len(turns))

	for b.Loop() {
		for i, turn := range turns {
			turn()

			start := time.Now()
			turn()
			times[i] = append(times[i], time.Since(start))
		}
	}

	bare := float64(median(times[0]))
	b.ReportMetric(float64(median(times[1]))/bare, "x-bare")
	b.ReportMetric(float64(median(times[2]))/bare, "procfs-x-bare")
	b.ReportMetric(0, "ns/op")
}

func bareRead(b *testing.B) func() {
	b.Helper()

	var buffer []byte

	return func() {
		var err error
		if buffer, err = procfile.Read(slabinfo, buffer); err != nil {
			require.NoError(b, err)
		}
	}
}

func packageRead(b *testing.B) func() {
	b.Helper()

	reader := slab.NewReader("/proc", "/sys", nil)
	_, err := reader.Read()
	require.NoError(b, err)

	return func() {
		if _, err := reader.Read(); err != nil {
			require.NoError(b, err)
		}
	}
}

func procfsRead(b *testing.B) func() {
	b.Helper()

	fs, err := procfs.NewFS("/proc")
	require.NoError(b, err)

	return func() {
		if _, err := fs.SlabInfo(); err != nil {
			require.NoError(b, err)
		}
	}
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)

	return times[len(times)/2]
}
