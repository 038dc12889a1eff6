package slab

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mib is the slabs that make up 1 MiB.
const mib = 1 << 20 / testPage

func TestGrowthIsToldAfterTwoMinutes(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"dentry", 10 * mib, "1"}, fake{"kmalloc-64", 20 * mib, "0"})
	h.set(mib, fake{"dentry", 10 * mib, "1"}, fake{"kmalloc-64", 20 * mib, "0"})
	tracker := h.tracker()

	for _, age := range []time.Duration{0, 60 * time.Second, 59 * time.Second} {
		h.pass(age)

		r, err := tracker.Get(2, SortSize)
		require.NoError(t, err)
		require.Nil(t, r.Growth)
		require.Nil(t, r.Fastest)
		require.Nil(t, r.Top[0].GrowthBytesPerHour)
	}

	h.pass(time.Second)
	h.set(3*mib, fake{"dentry", 9 * mib, "1"}, fake{"kmalloc-64", 21 * mib, "0"})

	r, err := tracker.Get(2, SortSize)
	require.NoError(t, err)
	require.Equal(t, &Growth{
		WindowS:                  120,
		SUnreclaimBytesPerHour:   90 << 20,
		SReclaimableBytesPerHour: -30 << 20,
		UnattributedBytesPerHour: new(int64(60 << 20)),
	}, r.Growth)
	require.Equal(t, &Fastest{
		Name: "kmalloc-64", Aliases: []string{}, SizeBytes: 21 << 20, GrowthBytesPerHour: 30 << 20,
	}, r.Fastest)
	require.Equal(t, new(int64(30<<20)), r.Top[0].GrowthBytesPerHour)
	require.Equal(t, new(int64(-30<<20)), r.Top[1].GrowthBytesPerHour)
}

func TestGrowthIsAgainstTheOldestPointWithinTheWindow(t *testing.T) {
	t.Parallel()

	h := newHost(t)
	tracker := h.tracker()
	start := h.monotonic

	// 1 MiB a minute for three hours, then nothing.
	size := func() int { return mib * min(180, int((h.monotonic-start)/time.Minute)) }

	for range 180 {
		h.set(0, fake{"leak", size(), "0"})
		require.NoError(t, tracker.Sample())
		h.pass(time.Minute)
	}

	h.set(0, fake{"leak", size(), "0"})

	r, err := tracker.Get(1, SortSize)
	require.NoError(t, err)
	require.InDelta(t, 3600, r.Growth.WindowS, 0)
	require.Equal(t, new(int64(60<<20)), r.Top[0].GrowthBytesPerHour)

	for range 30 {
		h.pass(time.Minute)
		require.NoError(t, tracker.Sample())
	}

	r, err = tracker.Get(1, SortSize)
	require.NoError(t, err)
	require.InDelta(t, 3600, r.Growth.WindowS, 0)
	require.Equal(t, new(int64(30<<20)), r.Top[0].GrowthBytesPerHour)

	h.pass(2 * time.Hour)

	r, err = tracker.Get(1, SortSize)
	require.NoError(t, err)
	require.Nil(t, r.Growth, "all points are older than the window")
	require.Nil(t, r.Top[0].GrowthBytesPerHour)
}

func TestGrowthOfACacheThatAppears(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"old", 2 * mib, "0"})
	tracker := h.tracker()

	growth := func() *int64 {
		r, err := tracker.Get(10, SortSize)
		require.NoError(t, err)

		for _, c := range r.Top {
			if c.Name == "new" {
				return c.GrowthBytesPerHour
			}
		}

		return nil
	}

	for range 10 {
		require.NoError(t, tracker.Sample())
		h.pass(time.Minute)
	}

	h.set(0, fake{"new", mib, "0"}, fake{"old", 2 * mib, "0"})
	require.Nil(t, growth())
	h.pass(119 * time.Second)
	require.Nil(t, growth())
	h.pass(time.Second)
	h.set(0, fake{"new", 3 * mib, "0"}, fake{"old", 2 * mib, "0"})
	require.Equal(t, new(int64(60<<20)), growth(), "since it was first seen, not since the window began")

	// A module that is unloaded and loaded again starts afresh.
	h.pass(time.Minute)
	h.set(0, fake{"old", 2 * mib, "0"})
	require.NoError(t, tracker.Sample())
	h.pass(time.Minute)
	h.set(0, fake{"new", 3 * mib, "0"}, fake{"old", 2 * mib, "0"})
	require.Nil(t, growth())
	h.pass(2 * time.Minute)
	require.Equal(t, new(int64(0)), growth())
}

func TestGrowthDoesNotHeedTheTimeOfDay(t *testing.T) {
	t.Parallel()

	for name, step := range map[string]time.Duration{"forward": 400 * 24 * time.Hour, "backward": -400 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := newHost(t, fake{"leak", mib, "0"})
			tracker := h.tracker()
			require.NoError(t, tracker.Sample())

			h.pass(30 * time.Minute)
			h.wall = h.wall.Add(step)
			h.set(0, fake{"leak", 2 * mib, "0"})

			r, err := tracker.Get(1, SortSize)
			require.NoError(t, err)
			require.InDelta(t, 1800, r.Growth.WindowS, 0)
			require.Equal(t, new(int64(2<<20)), r.Top[0].GrowthBytesPerHour)
			require.InDelta(t, float64(h.wall.Unix()), r.ReadAt, 0)
		})
	}
}

func TestUnattributedGrowthIsLeftOutWhereUnknown(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"dentry", mib, "1"}, fake{"new", mib, ""})
	tracker := h.tracker()
	require.NoError(t, tracker.Sample())

	h.pass(time.Hour)
	h.set(0, fake{"dentry", mib, "1"})

	r, err := tracker.Get(1, SortSize)
	require.NoError(t, err)
	require.Equal(t, &Growth{WindowS: 3600, SReclaimableBytesPerHour: 0}, r.Growth)
	require.NotNil(t, r.UnattributedBytes)
}

func TestSampleLeavesOutWhatIsTooEarly(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"dentry", 1, "1"})
	tracker := h.tracker()
	require.NoError(t, tracker.Sample())

	// Garbage from here on: a reading would fail.
	h.write("meminfo", "")
	h.pass(53 * time.Second)
	require.NoError(t, tracker.Sample())

	// A timer that comes a little early is still in time.
	h.pass(2 * time.Second)
	require.Error(t, tracker.Sample())
}

func TestHistoryStaysBounded(t *testing.T) {
	t.Parallel()

	const caches = 10_000

	h := newHistory(time.Hour)
	s := &Snapshot{Caches: make([]Cache, caches)}

	for turn := range 80 {
		for i := range s.Caches {
			// The names change from turn to turn, too.
			s.Caches[i] = Cache{Name: strconv.Itoa(i + turn*100), SizeBytes: uint64(i)}
		}

		s.monotonic += time.Minute
		h.record(s)
		require.LessOrEqual(t, len(h.series), maxSeries)
	}

	require.Contains(t, h.series, s.Caches[caches-1].Name, "the largest are kept")
	require.NotContains(t, h.series, s.Caches[0].Name)
}

func TestRatesBeyondAllBounds(t *testing.T) {
	t.Parallel()

	require.Positive(t, perHour(0, 1<<63, time.Second))
	require.Negative(t, perHour(1<<63, 0, time.Second))
	require.Zero(t, perHour(1<<63, 1<<63, time.Second))
}
