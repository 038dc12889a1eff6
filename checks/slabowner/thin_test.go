package slabowner

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFewerAreFollowedWithoutABias(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	l := loadPrograms(t, 1)

	const objects, size = 30_000, 512

	for i := range uint64(objects) {
		l.run(t, kmalloc, site, 0xffff888000000000+i*size, size, size, 0)
	}

	l.run(t, kmalloc, site, 0xffff888100000000, 20_000, 32_768, 0)

	counted, err := l.maps.count()
	require.NoError(t, err)
	require.NoError(t, l.thin(counted))
	require.InDelta(t, 2, l.scale(), 1e-6)

	live := l.live(t)
	require.InEpsilon(t, objects/2, len(live), 0.02)
	require.Contains(t, live, uint64(0xffff888100000000), "what is large is not thinned")

	g := newGrouping(nil, l.scale(), l.kernel.largest, math.MaxInt64, 0)
	require.NoError(t, l.maps.each(g.add))

	largest := g.sorted()
	require.Len(t, largest, 1)
	require.InEpsilon(t, objects*size, largest[0].bytes, 0.02)

	// The kernel follows as few from now on.
	for i := range uint64(1000) {
		l.run(t, kmalloc, site, 0xffff888200000000+i*size, size, size, 0)
	}

	require.InDelta(t, 500, len(l.live(t))-len(live), 50)
	require.NoError(t, l.thin(counted), "there are few enough now")
	require.InDelta(t, 2, l.scale(), 1e-6)
}

func TestWhatHasNoRoomIsCounted(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	l := loadPrograms(t, 1)
	for i := range uint64(maxLive + 10) {
		l.run(t, kmalloc, site, 0xffff888000000000+i*8, 8, 8, 0)
	}

	counted, err := l.maps.count()
	require.NoError(t, err)

	counted.NoStack = 0
	require.Equal(t, counters{Events: maxLive + 10, Followed: maxLive, Full: 10}, counted)
	require.Len(t, l.live(t), maxLive)
}

func TestTheStackIsWalkedOfAllThatIsLargeAndFewOthers(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	for size, oneIn := range map[uint64]float64{walkFrom / 2: walkOneIn, walkFrom: 1} {
		l := loadPrograms(t, 1)

		const objects = 4000

		for i := range uint64(objects) {
			l.run(t, kmalloc, site, 0xffff888000000000+i*size, size, size, 0)
		}

		counted, err := l.maps.count()
		require.NoError(t, err)
		require.EqualValues(t, objects, counted.Followed)

		walked := int(counted.NoStack)

		for _, e := range l.live(t) {
			if e.Stack >= 0 {
				walked++
			}
		}

		require.InEpsilon(t, objects/oneIn, walked, 0.2, "of %d bytes", size)
	}
}
