package slab

import (
	"bytes"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// table holds the caches of the file and is refilled in place. The same kernel lists the same caches in the same order
// time after time, and but for four numbers a line stays as it is: so each line is compared with the one that stood
// there last time, and parsed as a whole only where it differs.
type table struct {
	pageSize uint64
	caches   []Cache
	layouts  []layout
	// byReclaim is the sum of the sizes for each Reclaim.
	byReclaim [ReclaimYes + 1]uint64
	// renamed says that the names or their order differ from the last reading.
	renamed  bool
	problems procfile.Problems
}

// layout is the text of a line that stays: before the numbers of objects, and between them and those of slabs.
type layout struct {
	head, middle string
}

func (t *table) parse(data []byte) {
	t.problems.Reset()
	t.byReclaim = [ReclaimYes + 1]uint64{}
	t.renamed = false

	count := 0
	for number := 1; len(data) > 0; number++ {
		if count < len(t.caches) {
			c := &t.caches[count]
			if end := c.refill(data, &t.layouts[count], t.pageSize); end > 0 {
				t.byReclaim[c.Reclaim] = addCapped(t.byReclaim[c.Reclaim], c.SizeBytes)
				data = data[end:]
				count++

				continue
			}
		}

		var line []byte
		line, data, _ = bytes.Cut(data, newline)

		if t.parseLine(line, number, count) {
			count++
		}
	}

	if count < len(t.caches) {
		t.caches, t.layouts, t.renamed = t.caches[:count], t.layouts[:count], true
	}
}

// refill takes the numbers of the next line where the rest of it is as it was. It returns the length of the line,
// 0 where parseLine must have a closer look.
func (c *Cache) refill(data []byte, old *layout, pageSize uint64) int {
	at := len(old.head)
	if len(data) <= at || string(data[:at]) != old.head || data[at] != ' ' {
		return 0
	}

	active, at := procfile.Number(data, at)
	objects, at := procfile.Number(data, at)

	middle := at + len(old.middle)
	if len(data) < middle || string(data[at:middle]) != old.middle {
		return 0
	}

	activeSlabs, at := procfile.Number(data, middle)
	slabs, at := procfile.Number(data, at)
	_, at = procfile.Number(data, at)

	if at >= len(data) || data[at] != '\n' {
		return 0
	}

	c.ActiveObjects, c.Objects = active, objects
	c.ActiveSlabs, c.Slabs = activeSlabs, slabs

	if !c.measure(pageSize) {
		return 0
	}

	return at + 1
}

// parseLine understands any line and says whether it is a cache; it becomes number count of the caches.
func (t *table) parseLine(line []byte, number, count int) bool {
	if len(line) == 0 || line[0] == '#' || number == 1 && bytes.HasPrefix(line, titleMark) {
		return false
	}

	cache, stays, why := parseCache(line)
	if why == "" && !cache.measure(t.pageSize) {
		why = "more bytes than 64 bits hold"
	}

	if why != "" {
		t.problems.Addf("slabinfo line %d: %s: %s", number, why, procfile.Quote(line))

		return false
	}

	if count == len(t.caches) {
		t.caches, t.layouts = append(t.caches, Cache{}), append(t.layouts, layout{})
	}

	old := &t.caches[count]
	if old.Name == cache.Name {
		cache.Aliases, cache.Reclaim = old.Aliases, old.Reclaim
	} else {
		t.renamed = true
	}

	t.caches[count], t.layouts[count] = cache, stays
	t.byReclaim[cache.Reclaim] = addCapped(t.byReclaim[cache.Reclaim], cache.SizeBytes)

	return true
}

// sumUp adds the sizes up anew, after the kinds of the caches have changed.
func (t *table) sumUp() {
	t.byReclaim = [ReclaimYes + 1]uint64{}
	for i := range t.caches {
		c := &t.caches[i]
		t.byReclaim[c.Reclaim] = addCapped(t.byReclaim[c.Reclaim], c.SizeBytes)
	}
}
