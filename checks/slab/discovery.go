package slab

import (
	"slices"
	"strings"
	"time"
)

const (
	// leaveAfter is how long a cache must be small before discovery drops it.
	leaveAfter = 24 * time.Hour
	// maxSets bounds how many different n are kept apart.
	maxSets = 8
)

// Discovered is one row of hosting.slab.discovery (Zabbix low-level discovery).
type Discovered struct {
	Cache string `json:"{#CACHE}"`
	// Aliases are the names of the caches merged with this one.
	Aliases string `json:"{#ALIASES}"`
	// Reclaimable is "1", "0" or, where sysfs could not say, empty.
	Reclaimable string `json:"{#RECLAIMABLE}"`
}

// discovery keeps one set of caches for each n that was asked for, so that a cache on the edge of the top n does not
// come and go.
type discovery struct {
	sets map[int]*set
	// asked counts the requests, to tell which set was asked for least recently.
	asked int
}

type set struct {
	members map[string]*member
	asked   int
}

type member struct {
	row Discovered
	// rank is the place by size, beyond all others for a cache that is gone.
	rank    int
	outside bool
	since   time.Duration
}

func newDiscovery() *discovery { return &discovery{sets: map[int]*set{}} }

// discover lets the top n enter, lets go who was outside the top 2n for long, and returns the set sorted by name.
func (d *discovery) discover(n int, bySize []measured, now time.Duration) []Discovered {
	s := d.set(n)
	s.observe(n, bySize, now)

	for rank := range min(n, len(bySize)) {
		c := &bySize[rank]
		if c.SizeBytes > 0 && s.members[c.Name] == nil {
			s.members[c.Name] = &member{row: c.discovered(), rank: rank}
		}
	}

	s.trim(n, now)

	rows := make([]Discovered, 0, len(s.members))
	for _, m := range s.members {
		rows = append(rows, m.row)
	}

	slices.SortFunc(rows, func(a, b Discovered) int { return strings.Compare(a.Cache, b.Cache) })

	return rows
}

// observe notes for all sets who is within the top 2n now.
func (d *discovery) observe(bySize []measured, now time.Duration) {
	for n, s := range d.sets {
		s.observe(n, bySize, now)
	}
}

// set returns the set for n, new where there is none; then the one asked for least recently may have to go.
func (d *discovery) set(n int) *set {
	d.asked++

	s := d.sets[n]
	if s == nil {
		s = &set{members: map[string]*member{}}
		d.sets[n] = s
	}

	s.asked = d.asked

	if len(d.sets) > maxSets {
		oldest := n
		for other, candidate := range d.sets {
			if candidate.asked < d.sets[oldest].asked {
				oldest = other
			}
		}

		delete(d.sets, oldest)
	}

	return s
}

func (s *set) observe(n int, bySize []measured, now time.Duration) {
	for _, m := range s.members {
		m.rank = len(bySize)
	}

	for rank := range bySize {
		if m := s.members[bySize[rank].Name]; m != nil {
			m.rank, m.row = rank, bySize[rank].discovered()
		}
	}

	for _, m := range s.members {
		switch outside := m.rank >= min(2*n, len(bySize)); {
		case !outside:
			m.outside = false
		case !m.outside:
			m.outside, m.since = true, now
		}
	}
}

// trim drops who was outside for long, and beyond 3n members the smallest.
func (s *set) trim(n int, now time.Duration) {
	names := make([]string, 0, len(s.members))

	for name, m := range s.members {
		if m.outside && now-m.since >= leaveAfter {
			delete(s.members, name)

			continue
		}

		names = append(names, name)
	}

	if len(names) <= 3*n {
		return
	}

	slices.SortFunc(names, func(a, b string) int { return s.members[a].rank - s.members[b].rank })

	for _, name := range names[3*n:] {
		delete(s.members, name)
	}
}

// names is the union of all sets.
func (d *discovery) names() map[string]Discovered {
	all := map[string]Discovered{}

	for _, s := range d.sets {
		for name, m := range s.members {
			all[name] = m.row
		}
	}

	return all
}

func (c *Cache) discovered() Discovered {
	row := Discovered{Cache: c.Name, Aliases: strings.Join(c.Aliases, ", ")}

	switch c.Reclaim {
	case ReclaimNo:
		row.Reclaimable = "0"
	case ReclaimYes:
		row.Reclaimable = "1"
	case ReclaimUnknown:
	}

	return row
}

func (d Discovered) reclaimable() *bool {
	if d.Reclaimable == "" {
		return nil
	}

	return new(d.Reclaimable == "1")
}
