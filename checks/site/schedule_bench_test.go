package site

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

// workerGCPercent is what the plugin sets for the process that runs the checks.
const workerGCPercent = 50

// delays are how late probes started, in any order.
type delays struct {
	mu  sync.Mutex
	all []time.Duration
}

// BenchmarkThousandSites has 1,000 sites probed each second for 10 seconds, after an hour of answers that vary. The
// memory is the most that there was, the test binary's own included.
func BenchmarkThousandSites(b *testing.B) {
	const seconds = 10

	url := pageserver.StartT(b, badsite.OK())[0]

	defer debug.SetGCPercent(debug.SetGCPercent(workerGCPercent))

	for b.Loop() {
		// What other benchmarks have left is not these sites'.
		debug.FreeOSMemory()

		var late delays

		m := thousandSites(b, url)
		for _, w := range m.sites {
			fillHour(w)
			late.watch(m, w)
		}

		cpu, resident := cpuTime(b), 0.0

		m.Start()

		for range seconds {
			time.Sleep(time.Second)

			resident = max(resident, residentMB(b))
		}

		used := cpuTime(b) - cpu
		stopping := time.Now()

		m.Stop()
		b.ReportMetric(time.Since(stopping).Seconds()*1e3, "stop-ms")
		b.ReportMetric(used.Seconds()/seconds, "cpus")
		report(b, resident, 60, "RSS-MB")
		reportSchedule(b, m, late.all)
	}

	b.ReportMetric(0, "ns/op")
}

func reportSchedule(b *testing.B, m *Monitor, late []time.Duration) {
	b.Helper()

	var missed, failed uint64
	for _, s := range m.Summary() {
		missed, failed = missed+s.Late+s.Overlapping, failed+s.Failed+s.NotTested
	}

	slices.Sort(late)
	b.ReportMetric(float64(len(late)), "probes")
	report(b, late[len(late)*99/100].Seconds()*1e3, 50, "p99-late-ms")
	report(b, float64(missed), 0, "missed")
	report(b, float64(failed), 0, "failed")
}

// watch notes how late each probe of a site starts.
func (d *delays) watch(m *Monitor, w *watched) {
	probe := w.probe
	w.probe = func(ctx context.Context) *Result {
		m.mu.Lock()
		// The next start has been planned already.
		delay := time.Since(w.schedule.planned.Add(-w.Interval))
		m.mu.Unlock()
		d.mu.Lock()
		d.all = append(d.all, delay)
		d.mu.Unlock()

		return probe(ctx)
	}
}

// fillHour is what an hour of one probe a second leaves behind, ending now.
func fillHour(w *watched) {
	start := time.Now().Add(-time.Hour)
	w.state.windows.start = start

	for second := range 3600 {
		took := 0.005 + float64(second*7919%97)/10_000
		w.state.windows.record(start.Add(time.Duration(second)*time.Second), &Result{TotalS: took, Phases: Phases{WaitS: took / 2}})
	}
}

func thousandSites(tb testing.TB, url string) *Monitor {
	tb.Helper()

	sites := make([]Site, 1000)
	for i := range sites {
		target, err := NewTarget(url)
		require.NoError(tb, err)

		sites[i] = Site{Name: fmt.Sprintf("site%04d", i), Target: target, Interval: time.Second}
	}

	return NewMonitor(sites)
}
