package slabowner

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
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

	groups := found.sorted()
	if len(groups) == 0 {
		return nil
	}

	var addresses []uint64

	for _, g := range groups {
		if id, ok := mostOften(g.stacks); ok {
			g.stack = s.maps.stack(id)
		}

		addresses = append(append(addresses, g.callSite), g.stack...)
	}

	names, err := readSymbols(s.options.ProcPath, addresses)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}

	shown := r.judge(found, groups, caches, names)
	r.find(s.options.Source)

	cgroups := cgroupsOf(shown, s.options.NameCgroups)

	for i, g := range shown {
		if id, ok := mostOften(g.cgroups); ok {
			r.Owners[i].Cgroup = cgroups[id]
		}
	}

	return nil
}

// sourceTime is how long a session's end may take for the lines in the source. Nobody waits for the end, and the next session is an hour away.
const sourceTime = 2 * time.Second

// find finds the lines of all owners' stacks and call sites.
func (r *Report) find(source *kernelsource.Finder) {
	if source == nil {
		return
	}

	var stacks [][]string
	for _, o := range r.Owners {
		stacks = append(stacks, []string{o.CallSite}, o.Stack)
	}

	lines := source.Find(sourceTime, stacks...)
	r.SourceReason = lines.Reason

	for i := range r.Owners {
		o := &r.Owners[i]
		o.Source = lines.Of(o.Stack)

		if site := lines.Of([]string{o.CallSite}); site != nil {
			o.CallSiteSource = site[0]
		}
	}
}

// judge tells the certain groups from the doubtful, and returns those of the owners that it lists.
func (r *Report) judge(found *grouping, groups []*group, caches changes, names symbols) []*group {
	var shown []*group

	for _, g := range groups {
		cache, grown := caches.place(g)
		site := names.name(g.callSite)

		switch {
		case grown != nil && !confirms(*grown, g), endsByItself(site, append([]string{cache}, caches.after.aliases[cache]...)):
			r.Doubtful++
			r.DoubtfulBytes += uint64(g.bytes)

			continue
		case len(shown) == MaxOwners:
			r.OwnersOmitted++

			continue
		}

		shown = append(shown, g)
		o := found.owner(g)
		o.Rank, o.Cache, o.CacheGrowthBytes = len(shown), cache, grown
		o.Aliases = append(o.Aliases, caches.after.aliases[cache]...)
		o.CallSite, o.Stack = site, names.path(g.stack)
		o.describe()
		r.Owners = append(r.Owners, o)
	}

	return shown
}

// endsByItself tells of a call site whose objects last as long as a session may, and are ended by the kernel's own clock: connections that have ended
// less than 60 s ago (TIME_WAIT), and those whose client has not answered yet. Where it has no name, the names of its cache tell.
func endsByItself(site string, caches []string) bool {
	switch functionOf(site) {
	case "inet_twsk_alloc", "inet_reqsk_alloc":
		return true
	}

	return strings.HasPrefix(site, "0x") && slices.ContainsFunc(caches, func(cache string) bool {
		return strings.HasPrefix(cache, "tw_sock_") || strings.HasPrefix(cache, "request_sock_")
	})
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
