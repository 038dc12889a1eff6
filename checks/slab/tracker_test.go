package slab

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPayload(t *testing.T) {
	t.Parallel()

	first := []fake{
		{"kmalloc-64", 20 * mib, "0"}, {"dentry", 30 * mib, "1"}, {"task_struct", 8 * mib, "0"}, {"empty", 0, "0"},
	}

	h := newHost(t, first...)
	alias(t, h, ":0000064", "kmalloc-64", "pid", "eventpoll_epi")

	tracker := h.tracker()
	_, err := tracker.Discover(2)
	require.NoError(t, err)

	h.pass(30 * time.Minute)
	h.set(5*mib, fake{"kmalloc-64", 25 * mib, "0"}, first[1], fake{"task_struct", 7 * mib, "0"}, first[3])

	r, err := tracker.Get(4, SortGrowth)
	require.NoError(t, err)

	got, err := json.Marshal(r)
	require.NoError(t, err)

	want, err := os.ReadFile("testdata/payload.json")
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
}

// alias turns the folder of a cache into that of a group with other names, as the kernel does for merged caches.
func alias(t *testing.T, h *host, group, cache string, others ...string) {
	t.Helper()

	folder := filepath.Join(h.sys, "kernel", "slab")
	require.NoError(t, os.Rename(filepath.Join(folder, cache), filepath.Join(folder, group)))

	for _, name := range append(others, cache) {
		require.NoError(t, os.Symlink(group, filepath.Join(folder, name)))
	}
}

func TestPayloadWithoutAttribution(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"size-64", mib, ""})
	h.write("meminfo", "MemTotal: 4000000 kB\n")

	r, err := h.tracker().Get(1, SortSize)
	require.NoError(t, err)

	got, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"schema": 1, "read_at": 1700000000, "caches": 1,
		"top": [{"rank": 1, "name": "size-64", "aliases": [], "size_bytes": 1048576, "objects": 8192, "active_objects": 7936,
			"object_size_bytes": 128, "objects_per_slab": 32, "slab_size_bytes": 4096, "slabs": 256, "fill_pct": 96.88}],
		"watched": {"size-64": {"size_bytes": 1048576, "objects": 8192}},
		"problems": ["cannot tell which caches are reclaimable and merged: cannot read `+h.sys+
		`/kernel/slab: no such file or directory"]
	}`, string(got))
}

func TestGetSorts(t *testing.T) {
	t.Parallel()

	h := newHost(t, sized("a:50 b:40 c:30 d:20 e:10")...)
	tracker := h.tracker()
	require.NoError(t, tracker.Sample())
	h.pass(30 * time.Minute)

	// b and c grow alike, a shrinks, new is too young. The objects of e are the smallest and most.
	h.set(0, sized("a:49 b:45 c:35 d:20 e:10 new:33")...)
	h.write("slabinfo", header+slabLine("a", 49)+slabLine("b", 45)+slabLine("c", 35)+slabLine("d", 20)+
		slabLine("new", 33)+"e 9000 9999 8 512 1 : tunables 0 0 0 : slabdata 10 10 0\n")

	for by, want := range map[Sort]string{
		SortSize:    "a b c new d e ",
		SortGrowth:  "b c d e a new ",
		SortObjects: "e a b c new d ",
	} {
		r, err := tracker.Get(10, by)
		require.NoError(t, err)

		got := ""
		for i, c := range r.Top {
			got += c.Name + " "

			require.Equal(t, i+1, c.Rank)
		}

		require.Equal(t, want, got, by)
	}

	r, err := tracker.Get(2, SortSize)
	require.NoError(t, err)
	require.Len(t, r.Top, 2)
}

func TestWrongNumbersOfCaches(t *testing.T) {
	t.Parallel()

	tracker := newHost(t, fake{"a", 1, "0"}).tracker()

	for _, n := range []int{-1, 0, 1001, 1 << 40} {
		_, err := tracker.Get(n, SortSize)
		require.EqualError(t, err, fmt.Sprintf("cannot list %d caches: ask for 1 to 1000", n))

		_, err = tracker.Discover(n)
		require.EqualError(t, err, fmt.Sprintf("cannot list %d caches: ask for 1 to 1000", n))
	}
}

func TestFailuresReachTheCaller(t *testing.T) {
	t.Parallel()

	h := newHost(t)
	require.NoError(t, os.Remove(filepath.Join(h.proc, "slabinfo")))
	tracker := NewTracker(h.proc, h.sys, nil, 0)

	_, err := tracker.Get(1, SortSize)
	require.ErrorIs(t, err, fs.ErrNotExist)

	_, err = tracker.Discover(1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, tracker.Sample(), fs.ErrNotExist)
}

func TestSortNames(t *testing.T) {
	t.Parallel()

	for _, by := range []Sort{SortSize, SortGrowth, SortObjects} {
		parsed, err := ParseSort(by.String())
		require.NoError(t, err)
		require.Equal(t, by, parsed)
	}

	_, err := ParseSort("colour")
	require.EqualError(t, err, `cannot sort by "colour": sort by size, growth or objects`)
	require.Equal(t, "Sort(7)", Sort(7).String())
}

func TestTrackerServesManyAtOnce(t *testing.T) {
	t.Parallel()

	tracker := newHost(t, sized("a:5 b:4 c:3")...).tracker()

	var all sync.WaitGroup
	for i := range 9 {
		all.Go(func() {
			for n := range 20 {
				var err error

				switch i % 3 {
				case 0:
					_, err = tracker.Get(n+1, Sort(n%3))
				case 1:
					_, err = tracker.Discover(n + 1)
				default:
					err = tracker.Sample()
				}

				if err != nil {
					t.Error(err)
				}
			}
		})
	}

	all.Wait()
}
