package slab

import (
	"cmp"
	"fmt"
	"slices"
)

// Sort is the order of the caches in a report. The numbers are stable.
type Sort int

const (
	// SortSize puts the caches with the most memory first.
	SortSize Sort = iota
	// SortGrowth puts the fastest growing caches first, those whose growth is not known yet last.
	SortGrowth
	// SortObjects puts the caches with the most objects first.
	SortObjects
)

var sortNames = [...]string{SortSize: "size", SortGrowth: "growth", SortObjects: "objects"}

// ParseSort is the inverse of String.
func ParseSort(name string) (Sort, error) {
	if i := slices.Index(sortNames[:], name); i >= 0 {
		return Sort(i), nil
	}

	return SortSize, fmt.Errorf("cannot sort by %q: sort by size, growth or objects", name)
}

func (s Sort) String() string {
	if s < 0 || int(s) >= len(sortNames) {
		return fmt.Sprintf("Sort(%d)", int(s))
	}

	return sortNames[s]
}

// order sorts in place. Equal caches go by size and then by name, so that the order never depends on chance.
func (s Sort) order(caches []measured) {
	slices.SortFunc(caches, func(a, b measured) int {
		first := 0

		switch s {
		case SortGrowth:
			first = compareGrowth(b.growth, a.growth)
		case SortObjects:
			first = cmp.Compare(b.Objects, a.Objects)
		case SortSize:
		}

		return cmp.Or(first, cmp.Compare(b.SizeBytes, a.SizeBytes), cmp.Compare(a.Name, b.Name))
	})
}

func compareGrowth(a, b *int64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}

	return cmp.Compare(*a, *b)
}
