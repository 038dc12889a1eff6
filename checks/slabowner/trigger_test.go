package slabowner

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

// dueAt samples SUnreclaim at every step of the time and returns the times, in minutes, at which a session was due.
func dueAt(t *Trigger, step, until time.Duration, size func(minutes float64) float64) []float64 {
	var all []float64

	for now := time.Duration(0); now <= until; now += step {
		if t.Due(now, uint64(size(now.Minutes())*mib)) {
			all = append(all, now.Minutes())
			t.Began(now)
		}
	}

	return all
}

func TestASessionIsDueWhenMemoryGrowsFastForAWhile(t *testing.T) {
	t.Parallel()

	steady := func(perMinute float64) func(float64) float64 {
		return func(minutes float64) float64 { return 100 + perMinute*minutes }
	}

	for name, test := range map[string]struct {
		trigger Trigger
		step    time.Duration
		until   time.Duration
		size    func(minutes float64) float64
		want    []float64
	}{
		"a leak, once an hour":                           {Trigger{}, time.Minute, 130 * time.Minute, steady(8), []float64{5, 65, 125}},
		"a leak that is sampled often":                   {Trigger{}, time.Second, 70 * time.Minute, steady(9), []float64{5, 65}},
		"a leak that is sampled seldom":                  {Trigger{}, 20 * time.Minute, 2 * time.Hour, steady(9), []float64{20, 80}},
		"growth below the rate":                          {Trigger{}, time.Minute, 5 * time.Hour, steady(7.9), nil},
		"a jump that stays":                              {Trigger{}, time.Minute, time.Hour, func(m float64) float64 { return 100 + 1000*min(1, max(0, m-10)) }, nil},
		"a wave":                                         {Trigger{}, time.Minute, time.Hour, func(m float64) float64 { return 100 + 30*float64(int(m)%3) }, nil},
		"memory that is given back":                      {Trigger{}, time.Minute, time.Hour, func(m float64) float64 { return 1e6 - 50*m }, nil},
		"another rate":                                   {Trigger{BytesPerMinute: mib}, time.Minute, 10 * time.Minute, steady(1), []float64{5}},
		"another window":                                 {Trigger{Window: 20 * time.Minute}, time.Minute, 30 * time.Minute, steady(8), []float64{20}},
		"sessions more often":                            {Trigger{Every: 10 * time.Minute}, time.Minute, 30 * time.Minute, steady(8), []float64{5, 15, 25}},
		"a leak that begins late":                        {Trigger{}, time.Minute, 30 * time.Minute, func(m float64) float64 { return 100 + max(0, m-10)*16 }, []float64{14}},
		"a leak that ended minutes ago is none any more": {Trigger{Every: time.Minute}, time.Minute, 30 * time.Minute, func(m float64) float64 { return 100 + min(m, 6)*8 }, []float64{5, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, dueAt(&test.trigger, test.step, test.until, test.size))
			require.LessOrEqual(t, len(test.trigger.samples), samplesPerWindow+2)
		})
	}
}

func TestOneSampleIsNoGrowth(t *testing.T) {
	t.Parallel()

	trigger := &Trigger{}
	require.False(t, trigger.Due(time.Hour, 1<<40))
	require.False(t, trigger.Due(time.Hour, 1<<41), "no time has passed")
	require.False(t, trigger.Due(0, 0), "a clock that goes back starts anew")
	require.Len(t, trigger.samples, 1)
}

// TestASessionThatWasRefusedIsDueStill is of a helper whose hour had 80 ms to go: the next try was an hour later.
func TestASessionThatWasRefusedIsDueStill(t *testing.T) {
	t.Parallel()

	trigger := &Trigger{}
	due := func(minutes uint64) bool { return trigger.Due(time.Duration(minutes)*time.Minute, 8*minutes*mib) }

	for minutes := range uint64(5) {
		require.False(t, due(minutes))
	}

	require.True(t, due(5))
	require.True(t, due(6), "nobody told that one began")
	trigger.Began(6 * time.Minute)
	require.False(t, due(7))
	require.False(t, due(65))
	require.True(t, due(66))
}
