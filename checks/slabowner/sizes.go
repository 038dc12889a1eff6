package slabowner

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/slab"
)

// sizes are the caches at one moment.
type sizes struct {
	bytes        map[string]uint64
	aliases      map[string][]string
	sunreclaim   uint64
	unattributed *uint64
}

func readSizes(r *slab.Reader) (sizes, error) {
	snapshot, err := r.Read()
	if err != nil {
		return sizes{}, err
	}

	z := sizes{bytes: make(map[string]uint64, len(snapshot.Caches)), aliases: make(map[string][]string)}
	for i := range snapshot.Caches {
		c := &snapshot.Caches[i]
		z.bytes[c.Name] = c.SizeBytes

		if len(c.Aliases) > 0 {
			z.aliases[c.Name] = c.Aliases
		}
	}

	z.sunreclaim, _ = snapshot.Memory.Bytes("SUnreclaim")

	if snapshot.Attributed {
		z.unattributed = new(z.sunreclaim - min(z.sunreclaim, snapshot.UnreclaimableBytes))
	}

	return z, nil
}

func growth(before, after uint64) int64 { return int64(after) - int64(before) }

// changes is what became of the caches during a session.
type changes struct{ before, after *sizes }

// of is how much a cache has grown; nil where it is not known.
func (c changes) of(cache string) *int64 {
	now, known := c.after.bytes[cache]
	if !known {
		return nil
	}

	return new(growth(c.before.bytes[cache], now))
}

// unattributed is how much has grown what lies in no cache; nil where that is not known.
func (c changes) unattributed() *int64 {
	if c.before.unattributed == nil || c.after.unattributed == nil {
		return nil
	}

	return new(growth(*c.before.unattributed, *c.after.unattributed))
}

// place is in which cache a group lies, and how much that has grown.
func (c changes) place(g *group) (cache string, grown *int64) {
	switch {
	case g.large:
		return g.cache, c.unattributed()
	case g.malloc == 0:
		return g.cache, c.of(g.cache)
	}

	return c.mallocPlace(g)
}

// mallocPlace is where a kmalloc lies. The tracepoint tells the size only, and there are several caches of one size: those of memdup_user and of
// message queues (CONFIG_SLAB_BUCKETS), one for each of 16 groups of call sites (CONFIG_RANDOM_KMALLOC_CACHES), and none that is charged to cgroups
// with cgroup.memory=nokmem. All allocations of one call site lie in one of them: the ordinary one, unless another's growth says clearly that it is
// there.
func (c changes) mallocPlace(g *group) (cache string, grown *int64) {
	ordinary := c.of(g.cache)
	other, most := c.mostGrown(g)

	if most == nil || ordinary != nil && (!confirms(*most, g) || covers(*most, g) < clearly*covers(*ordinary, g)) {
		return g.cache, ordinary
	}

	return other, most
}

// mostGrown is the cache that has grown the most of those that may hold a kmalloc beside the ordinary one; nil where there is none.
func (c changes) mostGrown(g *group) (cache string, grown *int64) {
	for other := range c.after.bytes {
		if other == g.cache || !isMallocOf(other, g.malloc) {
			continue
		}

		if more := c.of(other); grown == nil || *more > *grown || *more == *grown && other < cache {
			cache, grown = other, more
		}
	}

	return cache, grown
}

// clearly is how many times more of a group the growth of another cache must cover than that of the ordinary one, which other groups let grow, too.
const clearly = 2

// covers is how much of a group the growth of a cache can be.
func covers(grown int64, g *group) float64 { return min(float64(grown), g.bytes) }

// confirms tells whether the growth of a cache makes it likely that the group is outstanding, and its freeings were not just missed.
func confirms(grown int64, g *group) bool { return float64(grown) >= g.bytes/confirming }

// mallocFamilies are the names of the caches that kmalloc takes from, without the size.
var mallocFamilies = []string{"kmalloc", "kmalloc-cg", "kmalloc-rnd-", "msg_msg", "memdup_user"}

func isMallocOf(cache string, size uint64) bool {
	family, ok := strings.CutSuffix(cache, "-"+sizeName(size))
	if !ok {
		return false
	}

	for _, one := range mallocFamilies {
		if family == one || strings.HasSuffix(one, "-") && strings.HasPrefix(family, one) {
			return true
		}
	}

	return false
}

// sizeName is how the kernel writes the size of a kmalloc cache (kmalloc_info of mm/slab_common.c).
func sizeName(size uint64) string {
	if size >= 1<<10 && size%(1<<10) == 0 {
		return fmt.Sprintf("%dk", size>>10)
	}

	return fmt.Sprint(size)
}

// mallocName is the ordinary cache of a kmalloc (new_kmalloc_cache of mm/slab_common.c).
func mallocName(size uint64, gfp uint32) string {
	switch {
	case gfp&gfpAccount != 0 && gfp&gfpDMA == 0:
		return "kmalloc-cg-" + sizeName(size)
	case gfp&gfpDMA != 0:
		return "dma-kmalloc-" + sizeName(size)
	}

	return "kmalloc-" + sizeName(size)
}
