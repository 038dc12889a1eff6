package site

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// scripted is a monitor of one site whose probes do what probe does instead of using the network.
func scripted(t *testing.T, interval time.Duration, probe func(context.Context) *Result) *Monitor {
	t.Helper()

	target, err := NewTarget("http://shop.example/")
	require.NoError(t, err)

	m := NewMonitor([]Site{{Name: "shop", Target: target, Interval: interval}})
	m.sites[0].probe = probe

	return m
}

func reportOf(t *testing.T, m *Monitor) *Report {
	t.Helper()

	r, err := m.Report("shop")
	require.NoError(t, err)

	return r
}

func TestProbesStartOnTheirScheduleWithoutDrift(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()

		var starts []time.Duration

		m := scripted(t, time.Second, func(context.Context) *Result {
			starts = append(starts, time.Since(start))
			time.Sleep(300 * time.Millisecond)

			return &Result{TotalS: 0.3}
		})
		m.Start()
		time.Sleep(4*time.Second + 500*time.Millisecond)
		m.Stop()

		require.Equal(t, []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}, starts)

		r := reportOf(t, m)
		require.Equal(t, []uint64{5, 5, 0, 0}, []uint64{r.Requests, r.OK, r.Late, r.Overlapping})
	})
}

func TestStartsAreSpreadOverTheInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target, err := NewTarget("http://shop.example/")
		require.NoError(t, err)

		m := NewMonitor([]Site{{Name: "b", Target: target}, {Name: "a", Target: target}, {Name: "c", Target: target}, {Name: "d", Target: target}})
		start := time.Now()
		first := map[string]time.Duration{}

		for _, w := range m.sites {
			w.probe = func(context.Context) *Result {
				first[w.Name] = time.Since(start)

				return &Result{}
			}
		}

		m.Start()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		m.Stop()

		require.Equal(t, map[string]time.Duration{
			"a": 0, "b": 1250 * time.Millisecond, "c": 2500 * time.Millisecond, "d": 3750 * time.Millisecond,
		}, first)
	})
}

func TestAStartWhileTheLastProbeRunsIsCountedAndLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := scripted(t, time.Second, func(context.Context) *Result {
			time.Sleep(2500 * time.Millisecond)

			return &Result{}
		})
		m.Start()
		time.Sleep(5900 * time.Millisecond)
		m.Stop()

		// Starts at 0 and 3 s; those at 1, 2, 4 and 5 s are left out.
		r := reportOf(t, m)
		require.Equal(t, []uint64{2, 4}, []uint64{r.Requests, r.Overlapping})
	})
}

func TestStopCancelsProbesAndCountsNoneOfThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := scripted(t, time.Second, func(ctx context.Context) *Result {
			<-ctx.Done()

			return &Result{Reason: ReasonLocalError}
		})
		m.Start()
		m.Start()
		time.Sleep(500 * time.Millisecond)

		before := time.Now()
		m.Stop()
		m.Stop()
		m.Start()
		require.Zero(t, time.Since(before))
		time.Sleep(10 * time.Second)
		require.Zero(t, reportOf(t, m).Requests)
	})
}

func TestStopDoesNotWaitLongerThanASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := scripted(t, time.Second, func(context.Context) *Result {
			time.Sleep(time.Minute)

			return &Result{}
		})
		m.Start()
		time.Sleep(500 * time.Millisecond)

		before := time.Now()
		m.Stop()
		require.Equal(t, time.Second, time.Since(before))
		time.Sleep(2 * time.Minute)
	})
}

func TestLatenessCountsFromATenthOfTheIntervalAndFrom50Milliseconds(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		delay, interval time.Duration
		late            bool
		skipped         uint64
	}{
		"in time":                     {0, 5 * time.Second, false, 0},
		"early":                       {-time.Second, 200 * time.Millisecond, false, 0},
		"a tenth":                     {500 * time.Millisecond, 5 * time.Second, false, 0},
		"more than a tenth":           {501 * time.Millisecond, 5 * time.Second, true, 0},
		"50 ms of a short interval":   {50 * time.Millisecond, 200 * time.Millisecond, false, 0},
		"51 ms of a short interval":   {51 * time.Millisecond, 200 * time.Millisecond, true, 0},
		"a process that stood still":  {3500 * time.Millisecond, time.Second, true, 3},
		"a whole interval of an hour": {time.Hour, time.Hour, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			late, skipped := lateness(c.delay, c.interval)
			require.Equal(t, c.late, late)
			require.Equal(t, c.skipped, skipped)
		})
	}
}

func TestASlowSiteDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		target, err := NewTarget("http://shop.example/")
		require.NoError(t, err)

		m := NewMonitor([]Site{{Name: "fast", Target: target, Interval: time.Second}, {Name: "slow", Target: target, Interval: time.Second}})

		var fast atomic.Int64

		m.byName["fast"].probe = func(context.Context) *Result {
			fast.Add(1)

			return &Result{}
		}
		m.byName["slow"].probe = func(ctx context.Context) *Result {
			<-ctx.Done()

			return &Result{}
		}

		m.Start()
		time.Sleep(10*time.Second + 100*time.Millisecond)
		m.Stop()
		require.Equal(t, int64(11), fast.Load())
	})
}

func TestAnUnknownSiteIsToldWithTheKnownOnes(t *testing.T) {
	t.Parallel()

	m := scripted(t, 0, nil)
	_, err := m.Report("nope")
	require.True(t, errors.Is(err, ErrUnknownSite))
	require.ErrorContains(t, err, "shop")

	none := NewMonitor(nil)
	_, err = none.Report("nope")
	require.ErrorIs(t, err, ErrUnknownSite)
	require.Equal(t, []Discovered{}, none.Discover())
	require.Empty(t, none.Names())
	none.Stop()
}
