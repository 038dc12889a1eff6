package slabowner

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	// noise is less than what missed freeings make of an ordinary host's work.
	noise = 8 << 20
	// confirming is the share of a group that its cache must have grown by.
	confirming = 4
	maxPIDs    = 5
	// twoSigma covers 95 of 100 cases.
	twoSigma = 1.96
)

// group is what one program allocated at one place.
type group struct {
	cache    string
	large    bool
	process  string
	callSite uint64
	uid      uint32

	bytes, objects float64
	tracked        int
	oldest         uint64
	pids           map[uint32]struct{}
	stacks         map[int32]int
	cgroups        map[uint64]int
}

type groupKey struct {
	cache    string
	process  [commSize]byte
	callSite uint64
	uid      uint32
}

// grouping adds up the allocations that are followed.
type grouping struct {
	names map[uint64]string // of the caches, by their addresses
	scale float64           // how many allocations each that is followed stands for
	until uint64            // younger ones are on their way still
	all   map[groupKey]*group
}

func (g *grouping) add(_ uint64, e *entry) {
	if e.At > g.until {
		return
	}

	large := e.Cache == 0 && e.Size > largest
	name := g.names[e.Cache]

	switch {
	case large:
		name = "large kmalloc"
	case e.Cache == 0:
		name = mallocName(e.Size, e.GFP)
	}

	key := groupKey{name, e.Comm, e.CallSite, e.UID}
	if end := bytes.IndexByte(key.process[:], 0); end >= 0 {
		// Before 6.12 the bytes behind the name are those of an older one.
		clear(key.process[end:])
	}

	one := g.all[key]
	if one == nil {
		one = &group{
			cache: name, large: large, process: string(bytes.TrimRight(key.process[:], "\x00")), callSite: e.CallSite, uid: e.UID, oldest: e.At,
			pids: map[uint32]struct{}{}, stacks: map[int32]int{}, cgroups: map[uint64]int{},
		}
		g.all[key] = one
	}

	weight := g.scale
	if large {
		weight = 1
	}

	one.tracked++
	one.objects += weight
	one.bytes += weight * float64(e.Size)
	one.oldest = min(one.oldest, e.At)
	one.pids[e.TGID] = struct{}{}
	one.cgroups[e.Cgroup]++

	if e.Stack >= 0 {
		one.stacks[e.Stack]++
	}
}

// mallocName is the cache of a kmalloc (new_kmalloc_cache of mm/slab_common.c).
func mallocName(size uint64, gfp uint32) string {
	prefix := "kmalloc-"

	switch {
	case gfp&gfpAccount != 0:
		prefix = "kmalloc-cg-"
	case gfp&gfpDMA != 0:
		prefix = "dma-kmalloc-"
	}

	if size >= 1024 {
		return fmt.Sprintf("%s%dk", prefix, size/1024)
	}

	return fmt.Sprintf("%s%d", prefix, size)
}

// errorPct is the 95 % bound of the estimate: each allocation is followed with the probability 1/scale, on its own.
func (g *group) errorPct(scale float64) float64 {
	if g.large || g.tracked == 0 {
		return 0
	}

	return math.Round(1000*twoSigma*math.Sqrt((1-1/scale)/float64(g.tracked))) / 10
}

// sorted are the groups above the noise, those with the most bytes first.
func (g *grouping) sorted() []*group {
	all := slices.DeleteFunc(slices.Collect(maps.Values(g.all)), func(one *group) bool { return one.bytes < noise })
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.callSite, b.callSite), cmp.Compare(a.process, b.process))
	})

	return all
}

// mostOften is the key that was counted most.
func mostOften[K cmp.Ordered](counts map[K]int) (most K, found bool) {
	best := 0
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		if counts[key] > best {
			most, best, found = key, counts[key], true
		}
	}

	return most, found
}

// owner describes a group. Its names are filled in by whoever knows them.
func (g *group) owner(now uint64, scale float64) Owner {
	o := Owner{
		Cache: g.cache, Aliases: []string{}, Large: g.large, Process: g.process, Processes: len(g.pids), UID: int(g.uid), Stack: []string{},
		Bytes: uint64(g.bytes), Objects: uint64(math.Round(g.objects)), ErrorPct: g.errorPct(scale), Tracked: g.tracked,
		OldestS: (time.Duration(now-g.oldest) * time.Nanosecond).Seconds(),
	}

	for _, pid := range slices.Sorted(maps.Keys(g.pids)) {
		if len(o.PIDs) < maxPIDs {
			o.PIDs = append(o.PIDs, int(pid))
		}
	}

	return o
}

func (o *Owner) describe() {
	where := "cache " + o.Cache
	if len(o.Aliases) > 0 {
		where += " (merged with " + strings.Join(o.Aliases[:min(3, len(o.Aliases))], ", ") + ")"
	}

	if o.Large {
		where = "no cache (large kmalloc)"
	}

	function, _, _ := strings.Cut(o.CallSite, "+0x")
	o.Sentence = fmt.Sprintf("%s holds %d MiB more in %s, allocated by %s", o.Process, o.Bytes>>20, where, function)
}
