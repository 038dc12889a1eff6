package slabowner

import (
	"time"

	"golang.org/x/sys/unix"
)

// found groups what is outstanding. What is young is on its way still, and left out.
func (s *session) found() (*grouping, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return nil, err
	}

	names, err := s.maps.cacheNames()
	if err != nil {
		return nil, err
	}

	g := newGrouping(names, s.scale(), s.kernel.largest, uint64(now.Nano()), min(maxAge, time.Since(s.begun)/ageShare))

	return g, s.maps.each(g.add)
}

// fill names who owns what.
func (r *Report) fill(s *session, caches changes) error {
	found, err := s.found()
	if err != nil {
		return err
	}

	shown := r.judge(found, caches)
	stacks := make([][]uint64, len(shown))
	addresses := make([]uint64, 0, len(shown)*maxFrames)

	for i, g := range shown {
		if id, ok := mostOften(g.stacks); ok {
			stacks[i] = s.maps.stack(id)
		}

		addresses = append(append(addresses, g.callSite), stacks[i]...)
	}

	if len(shown) == 0 {
		return nil
	}

	names, err := readSymbols(s.options.ProcPath, addresses)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}

	cgroups := cgroupsOf(shown, s.options.NameCgroups)

	for i, g := range shown {
		o := &r.Owners[i]
		o.Aliases = append(o.Aliases, caches.after.aliases[o.Cache]...)
		o.CallSite = names.name(g.callSite)
		o.Stack = names.path(stacks[i])

		if id, ok := mostOften(g.cgroups); ok {
			o.Cgroup = cgroups[id]
		}

		o.describe()
	}

	return nil
}

// judge tells the certain groups from the doubtful, and returns those of the owners that it lists.
func (r *Report) judge(found *grouping, caches changes) []*group {
	var shown []*group

	for _, g := range found.sorted() {
		cache, grown := caches.place(g)
		if grown != nil && !confirms(*grown, g) {
			r.Doubtful++
			r.DoubtfulBytes += uint64(g.bytes)

			continue
		}

		if len(shown) == MaxOwners {
			r.OwnersOmitted++

			continue
		}

		shown = append(shown, g)
		o := found.owner(g)
		o.Rank, o.Cache, o.CacheGrowthBytes = len(shown), cache, grown
		r.Owners = append(r.Owners, o)
	}

	return shown
}

func cgroupsOf(groups []*group, name func(map[uint64]string)) map[uint64]string {
	ids := make(map[uint64]string)

	for _, g := range groups {
		if id, ok := mostOften(g.cgroups); ok {
			ids[id] = ""
		}
	}

	if name != nil {
		name(ids)
	}

	return ids
}
