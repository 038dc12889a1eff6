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

	"zabbix-agent2-plugin-hosting/checks/procfile"
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
	cache    string // of a kmalloc the ordinary one
	malloc   uint64 // the size of a kmalloc; 0 for what has a cache of its own
	large    bool
	process  string
	callSite uint64
	uid      uint32

	bytes, objects float64
	tracked        int
	oldest         uint64 // as entry.At
	pids           map[uint32]struct{}
	stacks         map[int32]int
	stack          []uint64 // the most frequent, innermost first, when it was read
	cgroups        map[uint64]int
}

type groupKey struct {
	cache    string
	process  string
	callSite uint64
	uid      uint32
}

// grouping adds up the allocations that are followed.
type grouping struct {
	names   map[uint64]string // of the caches, by their addresses
	scale   float64           // how many allocations each that is followed stands for
	largest uint64            // of kmalloc's caches
	now     uint64            // as entry.At
	young   time.Duration     // what is not older is on its way still
	all     map[groupKey]*group
}

func newGrouping(names map[uint64]string, scale float64, largest, now uint64, young time.Duration) *grouping {
	return &grouping{names: names, scale: scale, largest: largest, now: now, young: young, all: make(map[groupKey]*group)}
}

func (g *grouping) add(_ uint64, e *entry) {
	if e.At+uint64(g.young) > g.now {
		return
	}

	one := g.of(e)
	weight := g.scale

	if one.large {
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

// of is the group of an allocation.
func (g *grouping) of(e *entry) *group {
	// Before 6.12 the bytes behind the end of the name are those of an older one.
	comm, _, _ := bytes.Cut(e.Comm[:], []byte{0})

	one := &group{process: procfile.Printable(string(comm)), callSite: e.CallSite, uid: e.UID, large: e.large(g.largest), oldest: e.At}

	switch {
	case one.large:
		one.cache = "large kmalloc"
	case e.Cache == 0:
		one.cache, one.malloc = mallocName(e.Size, e.GFP), e.Size
	default:
		one.cache = g.names[e.Cache]
	}

	key := groupKey{one.cache, one.process, one.callSite, one.uid}
	if known := g.all[key]; known != nil {
		return known
	}

	one.pids, one.stacks, one.cgroups = map[uint32]struct{}{}, map[int32]int{}, map[uint64]int{}
	g.all[key] = one

	return one
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

// owner describes a group. What it is called is filled in by whoever knows.
func (g *grouping) owner(one *group) Owner {
	o := Owner{
		Cache: one.cache, Aliases: []string{}, Large: one.large, Process: one.process, Processes: len(one.pids), UID: int(one.uid), Stack: []string{},
		Bytes: uint64(one.bytes), Objects: uint64(math.Round(one.objects)), ErrorPct: one.errorPct(g.scale), Tracked: one.tracked,
		OldestS: time.Duration(g.now - one.oldest).Seconds(),
	}

	for _, pid := range slices.Sorted(maps.Keys(one.pids)) {
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

	o.Sentence = fmt.Sprintf("%s holds %d MiB more in %s, allocated by %s", o.Process, o.Bytes>>20, where, functionOf(o.CallSite))
}
