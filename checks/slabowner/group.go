package slabowner

import (
	"bytes"
	"cmp"
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

	one := &group{process: programName(string(comm), e), callSite: e.CallSite, uid: e.UID, large: e.large(g.largest), oldest: e.At}

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

// threads are those of which the kernel has one for each processor, or as many as there is work for: their names go on behind a slash.
var threads = []string{"backlog_napi", "cpuhp", "ksoftirqd", "ktimers", "kworker", "migration", "rcuc", "rcuob", "rcuog", "rcuop", "rcuos", "swapper"}

// programName is the name of a process, or what all of the kernel's threads of a kind are called: each has a part of one leak.
func programName(comm string, e *entry) string {
	kind, _, numbered := strings.Cut(comm, "/")
	if numbered && (e.TGID == 0 || e.UID == 0 && slices.Contains(threads, kind)) {
		return kind
	}

	return procfile.Printable(comm)
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
