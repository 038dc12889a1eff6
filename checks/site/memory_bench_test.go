package site

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

// heapSlack is how many bytes the heap may be off by for other reasons.
const heapSlack = 64 << 10

// BenchmarkHundredThousandProbes fails where something grows with the number of probes. What is made once is made by
// the first thousand.
func BenchmarkHundredThousandProbes(b *testing.B) {
	m := newMixture(b)
	m.probe(b, 1000)

	heap, resident := heapBytes(), residentMB(b)
	goroutines, descriptors := usage(b)

	for b.Loop() {
		m.probe(b, 100_000)
	}

	moreGoroutines, moreDescriptors := leftOver(b, goroutines, descriptors)
	grown := heapBytes() - heap

	b.ReportMetric(float64(moreGoroutines), "goroutines-grown")
	b.ReportMetric(float64(moreDescriptors), "descriptors-grown")
	b.ReportMetric(grown/(1<<10), "heap-KiB-grown")
	b.ReportMetric(residentMB(b)-resident, "RSS-MB-grown")
	b.ReportMetric(0, "ns/op")
	require.LessOrEqual(b, moreGoroutines, slack, "goroutines are left over")
	require.LessOrEqual(b, moreDescriptors, slack, "descriptors are left over")
	require.Less(b, grown, float64(heapSlack), "the heap grew")
}

// BenchmarkTenThousandFailures has a site fail for hours, once a second. It fails where the second half, which comes
// after all windows are full, adds to the site's memory.
func BenchmarkTenThousandFailures(b *testing.B) {
	const half = 5000

	prober := proberOf(b, pageserver.StartT(b, badsite.Status(http.StatusInternalServerError))[0])
	now := time.Now()
	fail := func(n int, s *state) {
		for range n {
			now = now.Add(time.Second)
			result := prober.Probe(context.Background())
			require.Equal(b, ReasonStatusUnexpected, result.Reason, result.Sentence)
			s.count(result, now)
		}
	}
	// What is made once is made for another site.
	fail(1000, new(newState(now)))

	for b.Loop() {
		empty, resident := heapBytes(), residentMB(b)
		s := newState(now)

		fail(half, &s)

		full := heapBytes()

		fail(half, &s)

		grown := heapBytes() - full

		require.Equal(b, uint64(2*half), s.consecutive)
		b.ReportMetric((full+grown-empty)/(1<<10), "heap-KiB")
		b.ReportMetric(grown/(1<<10), "heap-KiB-grown")
		b.ReportMetric(residentMB(b)-resident, "RSS-MB-grown")
		require.Less(b, grown, float64(heapSlack), "the site's memory grew")
	}

	b.ReportMetric(0, "ns/op")
}
