package nginx

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// BenchmarkPollOfTenThousandVhosts is a report of a running nginx of which nothing has changed, each virtual host in a
// file of its own. It is bound to 25 ms.
func BenchmarkPollOfTenThousandVhosts(b *testing.B) { benchmarkPoll(b, crowded(b), 25) }

// BenchmarkPoll is such a report of one small configuration.
func BenchmarkPoll(b *testing.B) {
	benchmarkPoll(b, nginx.StartT(b, nginx.Options{Workers: 2, ReusePort: true, TLS: true, Daemon: true}), 10)
}

func benchmarkPoll(b *testing.B, n *nginx.Nginx, bound float64) {
	b.Helper()

	m := newMonitor(b)

	settled()
	require.Equal(b, StateValid, report(b, m, n).State)
	rest(m, n)

	var times []time.Duration

	b.ReportAllocs()

	for b.Loop() {
		// A minute after the last poll the instances are looked for again.
		m.mu.Lock()
		m.found = nil
		m.mu.Unlock()

		began := time.Now()
		r, err := m.Report(context.Background(), n.ConfPath())
		times = append(times, time.Since(began))

		require.NoError(b, err)
		require.Equal(b, uint64(1), r.Tests)
	}

	slices.Sort(times)

	median := times[len(times)/2].Seconds() * 1e3
	b.ReportMetric(median, "ms-median")

	if median > bound {
		b.Logf("OVER: a poll takes %.2f ms, more than %.2f", median, bound)
	}
}
