package site

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// setBack returns what time.Now gives after the system's clock was set back: the time of day changes, the monotonic clock
// does not. Package time makes no such value, and a test must not set the host's clock.
func setBack(t *testing.T, now time.Time, by time.Duration) time.Time {
	t.Helper()

	// The first word holds a flag, 33 bits of seconds and 30 of nanoseconds where there is a monotonic clock beside them.
	const nanosecondBits = 30

	back := now
	*(*uint64)(unsafe.Pointer(&back)) -= uint64(by/time.Second) << nanosecondBits

	require.Zero(t, back.Sub(now), "the monotonic clock stands as it did")
	require.Equal(t, now.Unix()-int64(by/time.Second), back.Unix())

	return back
}

func TestAClockThatIsSetBackChangesNoDuration(t *testing.T) {
	t.Parallel()

	server := badsite.StartT(t, badsite.OKSlowFirstByte(50*time.Millisecond))
	prober := proberOf(t, server.URL())
	start := time.Now()

	var (
		reads atomic.Int64
		first time.Time
	)

	prober.now = func() time.Time {
		n := reads.Add(1)
		back := setBack(t, time.Now(), time.Duration(n)*time.Hour)

		if n == 1 {
			first = back
		}

		return back
	}

	result := prober.Probe(context.Background())
	passed := time.Since(start).Seconds()

	require.Equal(t, ReasonOK, result.Reason, result.Sentence)
	require.Greater(t, reads.Load(), int64(5))
	require.Equal(t, first.Unix(), result.At, "only the time of the start is the clock's")
	require.GreaterOrEqual(t, result.TotalS, 0.05)
	require.LessOrEqual(t, result.TotalS, passed)

	p := result.Phases
	sum := 0.0

	for _, part := range []float64{p.ResolveS, p.ConnectS, p.TLSS, p.SendS, p.WaitS, p.TransferS, p.OtherS} {
		require.GreaterOrEqual(t, part, 0.0)

		sum += part
	}

	require.InDelta(t, result.TotalS, sum, 1e-9)
	require.GreaterOrEqual(t, p.WaitS, 0.04)
}

func TestAClockThatIsSetBackLosesNoCountAndNoStart(t *testing.T) {
	t.Parallel()

	m := scripted(t, minInterval, func(context.Context) *Result { return &Result{TotalS: 0.1} })
	w := m.sites[0]

	for range 3 {
		w.state.count(&Result{TotalS: 0.1}, setBack(t, time.Now(), 24*time.Hour))
	}

	report := w.report(setBack(t, time.Now(), 48*time.Hour))
	require.Equal(t, []int64{3, 3}, []int64{report.Windows["5m"].OK.Count, report.Windows["1h"].OK.Count})

	// A plan that holds the monotonic clock is kept by it.
	m.Start()
	require.Eventually(t, func() bool { return reportOf(t, m).Requests >= 5 }, time.Minute, 10*time.Millisecond)
	m.Stop()
	require.Regexp(t, ` m=\+[0-9.]+$`, w.schedule.planned.String())
}
