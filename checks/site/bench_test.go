package site

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const page = "<!DOCTYPE html><title>Test</title><p>Hello"

// variant is one way to request the page once.
type variant struct {
	name string
	once func() error
}

func pageServer(tb testing.TB) *httptest.Server {
	tb.Helper()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }))
	tb.Cleanup(server.Close)

	return server
}

func proberOf(tb testing.TB, url string) *Prober {
	tb.Helper()

	target, err := NewTarget(url)
	require.NoError(tb, err)

	return NewProber(target)
}

func variants(tb testing.TB, server *httptest.Server) []variant {
	tb.Helper()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	prober := proberOf(tb, server.URL)
	address := strings.TrimPrefix(server.URL, "http://")

	return []variant{
		{"bare", func() error {
			response, err := client.Get(server.URL)
			if err != nil {
				return err
			}
			defer response.Body.Close()

			_, err = io.Copy(io.Discard, response.Body)

			return err
		}},
		{"probe", func() error {
			if r := prober.Probe(context.Background()); r.Reason != ReasonOK {
				return fmt.Errorf("cannot probe: %s; look at the server", r.Sentence)
			}

			return nil
		}},
		{"socket", func() error {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return err
			}
			defer conn.Close()

			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+address+"\r\nConnection: close\r\n\r\n"); err != nil {
				return err
			}

			_, err = io.Copy(io.Discard, conn)

			return err
		}},
	}
}

// BenchmarkProbe is what one probe of a page on loopback takes, the server's part included.
func BenchmarkProbe(b *testing.B) {
	for _, v := range variants(b, pageServer(b)) {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()

			for b.Loop() {
				if err := v.once(); err != nil {
					require.NoError(b, err)
				}
			}
		})
	}
}

// BenchmarkRatio runs the variants turn by turn, so that noise of the machine meets all alike, and reports the CPU time of
// each, by the medians of batches, as a multiple of a bare request of net/http. The server's part is the same in all.
func BenchmarkRatio(b *testing.B) {
	const batch = 50

	all := variants(b, pageServer(b))
	times := make([][]time.Duration, len(all))

	for b.Loop() {
		for i, v := range all {
			start := cpuTime(b)
			for range batch {
				if err := v.once(); err != nil {
					require.NoError(b, err)
				}
			}

			times[i] = append(times[i], cpuTime(b)-start)
		}
	}

	bare := median(times[0])
	b.ReportMetric(bare.Seconds()*1e3/batch, "bare-cpu-ms")
	b.ReportMetric(float64(median(times[1]))/float64(bare), "x-bare")
	b.ReportMetric(float64(median(times[2]))/float64(bare), "socket-x-bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkThousandSites has 1,000 sites probed each second for 10 seconds, after an hour of answers that vary. The memory
// is the whole process's, server included.
func BenchmarkThousandSites(b *testing.B) {
	const run = 10 * time.Second

	server := pageServer(b)

	for b.Loop() {
		m := thousandSites(b, server.URL)

		var (
			mu     sync.Mutex
			delays []time.Duration
		)

		for _, w := range m.sites {
			fillHour(w)

			probe := w.probe
			w.probe = func(ctx context.Context) *Result {
				m.mu.Lock()
				// The next start has been planned already.
				delay := time.Since(w.schedule.planned.Add(-w.Interval))
				m.mu.Unlock()
				mu.Lock()
				delays = append(delays, delay)
				mu.Unlock()

				return probe(ctx)
			}
		}

		cpu := cpuTime(b)

		m.Start()
		<-time.After(run)

		used := cpuTime(b) - cpu
		stopping := time.Now()

		m.Stop()
		b.ReportMetric(time.Since(stopping).Seconds()*1e3, "stop-ms")
		b.ReportMetric(used.Seconds()/run.Seconds(), "cpus")

		var late, overlapping, failed uint64
		for _, s := range m.Summary() {
			late, overlapping, failed = late+s.Late, overlapping+s.Overlapping, failed+s.Failed+s.NotTested
		}

		slices.Sort(delays)
		b.ReportMetric(float64(len(delays)), "probes")
		b.ReportMetric(delays[len(delays)*99/100].Seconds()*1e3, "p99-late-ms")
		b.ReportMetric(float64(late+overlapping), "missed")
		b.ReportMetric(float64(failed), "failed")
	}

	b.ReportMetric(residentMB(b), "RSS-MB")
	b.ReportMetric(0, "ns/op")
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

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()

	var usage unix.Rusage

	require.NoError(tb, unix.Getrusage(unix.RUSAGE_SELF, &usage))

	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func residentMB(tb testing.TB) float64 {
	tb.Helper()

	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(tb, err)

	var size, resident int

	_, err = fmt.Sscan(string(text), &size, &resident)
	require.NoError(tb, err)

	return float64(resident*os.Getpagesize()) / (1 << 20)
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)

	return times[len(times)/2]
}
