package slab

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// discovered returns the names that Discover finds.
func discovered(t *testing.T, tracker *Tracker, n int) string {
	t.Helper()

	rows, err := tracker.Discover(n)
	require.NoError(t, err)

	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Cache
	}

	return strings.Join(names, " ")
}

// sized returns caches by name and slabs, as in "a:5 b:4".
func sized(list string) []fake {
	var caches []fake

	for item := range strings.FieldsSeq(list) {
		name, slabs, _ := strings.Cut(item, ":")
		count, _ := strconv.Atoi(slabs)
		caches = append(caches, fake{name, count, "0"})
	}

	return caches
}

func TestDiscoverRows(t *testing.T) {
	t.Parallel()

	tracker := newTracker("testdata/6.18", kernelSys(t, "6.18"), nil, time.Hour, systemClock())
	rows, err := tracker.Discover(12)
	require.NoError(t, err)
	require.Contains(t, rows, Discovered{Cache: "dentry", Reclaimable: "1"})
	require.Contains(t, rows, Discovered{
		Cache: "lsm_inode_cache", Aliases: "btrfs_delayed_extent_op, ext4_io_end_vec", Reclaimable: "0",
	})

	unknown, err := newHost(t, fake{"size-64", 1, ""}).tracker().Discover(1)
	require.NoError(t, err)
	require.Equal(t, []Discovered{{Cache: "size-64"}}, unknown)
}

func TestDiscoveryIsStable(t *testing.T) {
	t.Parallel()

	h := newHost(t, sized("a:9 b:8 c:7 d:6 e:5 f:0")...)
	tracker := h.tracker()
	require.Equal(t, "a b", discovered(t, tracker, 2))

	h.set(0, sized("a:9 b:8 c:10 d:6 e:5")...)
	require.Equal(t, "a b c", discovered(t, tracker, 2), "a cache enters when it is at the top")

	h.set(0, sized("a:9 b:1 c:10 d:6 e:5")...)
	require.Equal(t, "a b c", discovered(t, tracker, 2), "it does not leave at once")

	h.pass(23*time.Hour + 59*time.Minute)
	require.Equal(t, "a b c", discovered(t, tracker, 2))

	h.pass(time.Minute)
	require.Equal(t, "a c", discovered(t, tracker, 2), "it leaves after a day")
}

func TestDiscoveryKeepsWhoComesBack(t *testing.T) {
	t.Parallel()

	h := newHost(t, sized("a:9 b:8 c:7 d:6")...)
	tracker := h.tracker()
	require.Equal(t, "a", discovered(t, tracker, 1))

	for range 3 {
		// Within the top 2n for one sample between two days without.
		h.set(0, sized("a:1 b:8 c:7 d:6")...)
		h.pass(20 * time.Hour)
		require.NoError(t, tracker.Sample())

		h.set(0, sized("a:8 b:9 c:7 d:6")...)
		h.pass(time.Hour)
		require.NoError(t, tracker.Sample())
	}

	require.Equal(t, "a b", discovered(t, tracker, 1))
}

func TestDiscoveryIsBounded(t *testing.T) {
	t.Parallel()

	h := newHost(t)
	tracker := h.tracker()

	for i := range 20 {
		h.set(0, sized(fmt.Sprintf("first%02d:100 second%02d:90 fixed1:50 fixed2:40 fixed3:30", i, i))...)
		rows, err := tracker.Discover(2)
		require.NoError(t, err)
		require.LessOrEqual(t, len(rows), 6)
		require.Contains(t, rows, Discovered{Cache: fmt.Sprintf("first%02d", i), Reclaimable: "0"})
	}

	h.set(0, sized("a:3 b:2 c:0 d:0")...)
	require.Equal(t, "a b", discovered(t, tracker, 900), "caches without memory are not worth an item")
}

func TestDiscoveryKeepsEightSets(t *testing.T) {
	t.Parallel()

	h := newHost(t, sized("a:9 b:8 c:7 d:6 e:5 f:4 g:3 h:2 i:1")...)
	tracker := h.tracker()

	for n := 1; n <= 8; n++ {
		discovered(t, tracker, n)
	}

	// b to i were found for n above 1 only. 1 is asked for again, 2 is now the one to go.
	h.set(0, sized("z:20 a:9 b:8")...)
	require.Equal(t, "a z", discovered(t, tracker, 1))
	require.Equal(t, "a b z", discovered(t, tracker, 9))
	require.Len(t, tracker.discovery.sets, 8)
	require.NotContains(t, tracker.discovery.sets, 2)
	require.Equal(t, "a z", discovered(t, tracker, 2), "begins afresh")
	require.NotContains(t, tracker.discovery.sets, 3)
}

func TestWatchedHoldsWhatDiscoveryNamed(t *testing.T) {
	t.Parallel()

	h := newHost(t, sized("a:9 b:8 c:7 d:6 e:5")...)
	tracker := h.tracker()

	watched := func() map[string]Watched {
		r, err := tracker.Get(1, SortSize)
		require.NoError(t, err)

		return r.Watched
	}

	cache := func(slabs uint64) Watched {
		return Watched{SizeBytes: slabs * testPage, Objects: 32 * slabs, Reclaimable: new(false)}
	}

	require.Equal(t, map[string]Watched{"a": cache(9), "b": cache(8), "c": cache(7)}, watched(),
		"the largest stand in until discovery was asked for")

	require.Equal(t, "a b", discovered(t, tracker, 2))
	require.Equal(t, map[string]Watched{"a": cache(9), "b": cache(8)}, watched())

	require.Equal(t, "a b c d", discovered(t, tracker, 4))
	require.Equal(t, map[string]Watched{"a": cache(9), "b": cache(8), "c": cache(7), "d": cache(6)}, watched())

	// An item must find its value also when its cache is gone.
	h.set(0, sized("b:1 c:7 x:30 y:30 z:30")...)
	require.Equal(t, map[string]Watched{"a": cache(0), "b": cache(1), "c": cache(7), "d": cache(0)}, watched())
}
