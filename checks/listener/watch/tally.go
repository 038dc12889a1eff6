package watch

import (
	"cmp"
	"slices"
)

// maxTallied bounds how many names are counted apart.
const maxTallied = 64

// tally counts by name, in bounded memory.
type tally[K cmp.Ordered] struct {
	counts map[K]uint64
	// other is what was counted of further names.
	other uint64
}

func (t *tally[K]) add(name K) {
	if _, known := t.counts[name]; !known && len(t.counts) >= maxTallied {
		t.other++

		return
	}

	if t.counts == nil {
		t.counts = make(map[K]uint64)
	}

	t.counts[name]++
}

// names are ordered by their counts, the largest first.
func (t *tally[K]) names() []K {
	all := make([]K, 0, len(t.counts))
	for name := range t.counts {
		all = append(all, name)
	}

	slices.SortFunc(all, func(a, b K) int { return cmp.Or(cmp.Compare(t.counts[b], t.counts[a]), cmp.Compare(a, b)) })

	return all
}
