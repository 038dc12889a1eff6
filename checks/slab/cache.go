package slab

import (
	"math"
	"math/bits"
)

// Reclaim says whether the kernel may take a cache's memory back under pressure (SLAB_RECLAIM_ACCOUNT).
type Reclaim uint8

const (
	// ReclaimUnknown is a cache that sysfs does not know or whose flag may not be read.
	ReclaimUnknown Reclaim = iota
	// ReclaimNo is a cache that counts in SUnreclaim.
	ReclaimNo
	// ReclaimYes is a cache that counts in SReclaimable.
	ReclaimYes
)

// Cache is one line of /proc/slabinfo (slabinfo(5)) with what sysfs adds to it.
type Cache struct {
	Name           string
	ActiveObjects  uint64
	Objects        uint64
	ObjectSize     uint64
	ObjectsPerSlab uint64
	PagesPerSlab   uint64
	ActiveSlabs    uint64
	Slabs          uint64
	// SizeBytes is exact: slabs x pages per slab x page size.
	SizeBytes uint64
	// ActiveBytes is active objects x object size.
	ActiveBytes uint64
	// Aliases are the other caches that the kernel merged into this one, sorted: their objects are counted here.
	Aliases []string
	Reclaim Reclaim
}

// measure works out the sizes; false where the numbers exceed 64 bits and so are nonsense.
func (c *Cache) measure(pageSize uint64) bool {
	pages, slabBytes := bits.Mul64(c.PagesPerSlab, pageSize)
	over, size := bits.Mul64(slabBytes, c.Slabs)
	overActive, active := bits.Mul64(c.ActiveObjects, c.ObjectSize)
	c.SizeBytes, c.ActiveBytes = size, active

	return pages|over|overActive == 0
}

// hasDuplicates says whether two caches have one name, which modules can bring about.
func hasDuplicates(caches []Cache) bool {
	names := make(map[string]struct{}, len(caches))
	for i := range caches {
		names[caches[i].Name] = struct{}{}
	}

	return len(names) < len(caches)
}

// merge adds up caches of one name.
func merge(caches []Cache) []Cache {
	merged := make([]Cache, 0, len(caches))
	index := make(map[string]int, len(caches))

	for i := range caches {
		c := &caches[i]
		if first, seen := index[c.Name]; seen {
			merged[first].add(c)

			continue
		}

		index[c.Name] = len(merged)
		merged = append(merged, *c)
	}

	return merged
}

func (c *Cache) add(other *Cache) {
	c.ActiveObjects = addCapped(c.ActiveObjects, other.ActiveObjects)
	c.Objects = addCapped(c.Objects, other.Objects)
	c.ActiveSlabs = addCapped(c.ActiveSlabs, other.ActiveSlabs)
	c.Slabs = addCapped(c.Slabs, other.Slabs)
	c.SizeBytes = addCapped(c.SizeBytes, other.SizeBytes)
	c.ActiveBytes = addCapped(c.ActiveBytes, other.ActiveBytes)
}

func addCapped(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}

	return sum
}
