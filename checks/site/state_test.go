package site

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

func failure(reason Reason, at time.Time) *Result {
	return &Result{
		At: at.Unix(), Reason: reason, ReasonName: reason.String(), TotalS: 0.25, Phases: Phases{WaitS: 0.2, OtherS: 0.05},
		Sentence: strings.Repeat("s", textLimit), BodyStart: strings.Repeat("b", textLimit), Bytes: 10,
	}
}

func TestCountersAreExactAndMemoryIsBoundedAfterTenThousandFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := scripted(t, time.Second, nil)
		w := m.sites[0]

		for i := range 10_000 {
			time.Sleep(time.Second)
			w.state.count(failure(Reason(1+i%22), time.Now()), time.Now())
		}

		r := reportOf(t, m)
		require.Equal(t, []uint64{10_000, 0, 9546, 454}, []uint64{r.Requests, r.OK, r.Failed, r.NotTested})
		require.Equal(t, uint64(9546), r.ConsecutiveFailures)
		require.Equal(t, uint64(100_000), r.Bytes)
		require.Len(t, r.Evidence, evidenceCount)
		require.Equal(t, r.Last, r.Evidence[0])
		require.Greater(t, r.Evidence[0].At, r.Evidence[19].At)
		require.Nil(t, r.LastSuccessAt)

		sum := uint64(0)
		for _, n := range r.Reasons {
			sum += n
		}

		require.Len(t, r.Reasons, reasonCount)
		require.Equal(t, r.Requests, sum)

		w.state.count(&Result{At: 7, TotalS: 0.1}, time.Now())
		require.Zero(t, reportOf(t, m).ConsecutiveFailures)
		require.Equal(t, int64(7), *reportOf(t, m).LastSuccessAt)
	})
}

// Evidence and windows are what could grow.
func TestMemoryIsTheSameAfterTenThousandProbesThatFail(t *testing.T) {
	server := badsite.StartT(t, badsite.Refused())
	prober := proberOf(t, server.URL())
	m := scripted(t, time.Second, nil)
	w := m.sites[0]

	const early, probes, allowed = 1000, 10_000, 1 << 20

	var atFirst uint64

	for i := range probes {
		w.state.count(prober.Probe(context.Background()), time.Now())

		if i == early {
			atFirst = heap()
		}
	}

	require.Less(t, heap(), atFirst+allowed)

	r := reportOf(t, m)
	require.Equal(t, []uint64{probes, probes, probes}, []uint64{r.Requests, r.Failed, r.Reasons["connect_refused"]})
	require.Equal(t, uint64(probes), r.ConsecutiveFailures)
	require.Len(t, r.Evidence, evidenceCount)
}

// heap is what is in use after a collection, in bytes.
func heap() uint64 {
	var stats runtime.MemStats

	runtime.GC()
	runtime.ReadMemStats(&stats)

	return stats.HeapAlloc
}

func TestWindowsForgetWhatIsOlderThanTheyAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := scripted(t, time.Second, nil)
		w := m.sites[0]

		count := func(n int, r *Result) {
			for range n {
				w.state.count(r, time.Now())
			}
		}
		count(99, &Result{TotalS: 0.010, Phases: Phases{WaitS: 0.005}})
		count(1, &Result{TotalS: 2, Phases: Phases{WaitS: 1}})
		count(1, &Result{Reason: ReasonConnectRefused, TotalS: 0.001})
		count(1, &Result{Reason: ReasonLocalError, TotalS: 0.001})

		got := reportOf(t, m).Windows
		require.Equal(t, got["5m"], got["1h"])
		require.Equal(t, int64(100), got["5m"].OK.Count)
		require.InEpsilon(t, 0.010, got["5m"].OK.Total.P50S, 0.02)
		require.InEpsilon(t, 0.005, got["5m"].OK.Wait.P90S, 0.02)
		require.InEpsilon(t, 2, got["5m"].OK.Total.MaxS, 0.02)
		require.Equal(t, int64(1), got["5m"].Failed.Count)
		require.Nil(t, got["5m"].Failed.Wait)

		time.Sleep(6 * time.Minute)

		got = reportOf(t, m).Windows
		require.Equal(t, Window{}, got["5m"])
		require.Equal(t, int64(100), got["1h"].OK.Count)

		time.Sleep(70 * time.Minute)

		require.Equal(t, map[string]Window{"5m": {}, "1h": {}}, reportOf(t, m).Windows)
	})
}

// BenchmarkState reports what a site's state takes after an hour of one probe a second with a varying answer.
func BenchmarkState(b *testing.B) {
	target, err := NewTarget("http://shop.example/")
	require.NoError(b, err)

	const sites = 100

	var before, after runtime.MemStats

	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)

		all := make([]*watched, sites)

		for i := range all {
			all[i] = &watched{Site: Site{Target: target}, probe: NewProber(target).Probe, state: newState(time.Now())}
			fillHour(all[i])
		}

		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(all)
	}

	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/sites, "state-B/site")
}

func TestEvidenceTextIsCappedAndValid(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ text, want string }{
		"short text stays":           {"all well", "all well"},
		"a cut rune goes as a whole": {strings.Repeat("x", 511) + "é", strings.Repeat("x", 511)},
		"a whole rune stays":         {strings.Repeat("x", 510) + "é", strings.Repeat("x", 510) + "é"},
		"invalid bytes are replaced": {"a\xff\x00b", "a??b"},
		"only a cut rune":            {"\xc3", "?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := capText(c.text, textLimit)
			require.Equal(t, c.want, got)
			require.True(t, utf8.ValidString(got))
		})
	}
}

func TestPayloadHasTheContractsNames(t *testing.T) {
	t.Parallel()

	m := scripted(t, 5*time.Second, nil)
	payload, err := json.Marshal(reportOf(t, m))
	require.NoError(t, err)
	require.NotContains(t, string(payload), `"last"`)
	require.NotContains(t, string(payload), `p50_s`)

	for _, name := range []string{
		`"schema":1`, `"site":"shop"`, `"url":"http://shop.example/"`, `"interval_s":5`, `"requests":0`, `"not_tested":0`, `"reset_before_response":0`,
		`"windows":{"1h":{"ok":{"count":0},"failed":{"count":0}},"5m":`, `"evidence":[]`,
	} {
		require.Contains(t, string(payload), name)
	}
}
