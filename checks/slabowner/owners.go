package slabowner

import (
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

// growthOf is how much the place of a group has grown; nil where that is not known.
func growthOf(g *group, before, after *sizes) *int64 {
	if g.large {
		if before.unattributed == nil || after.unattributed == nil {
			return nil
		}

		return new(growth(*before.unattributed, *after.unattributed))
	}

	now, known := after.bytes[g.cache]
	if !known {
		return nil
	}

	return new(growth(before.bytes[g.cache], now))
}

// fill names who owns what, and tells the doubtful from the certain.
func (r *Report) fill(s *session, before, after *sizes, n int) error {
	found, now, err := s.found()
	if err != nil {
		return err
	}

	var certain []*group

	for _, g := range found.sorted() {
		if grown := growthOf(g, before, after); grown != nil && float64(*grown) < g.bytes/confirming {
			r.Doubtful++
			r.DoubtfulBytes += uint64(g.bytes)

			continue
		}

		certain = append(certain, g)
	}

	shown := certain[:min(n, len(certain))]
	r.OwnersOmitted = len(certain) - len(shown)
	stacks := make([][]uint64, len(shown))
	addresses := make([]uint64, 0, len(shown)*maxFrames)

	for i, g := range shown {
		if id, ok := mostOften(g.stacks); ok {
			stacks[i] = s.stack(id)
		}

		addresses = append(append(addresses, g.callSite), stacks[i]...)
	}

	names, err := readSymbols(s.options.ProcPath, addresses)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}

	ids := make(map[uint64]string)
	for _, g := range shown {
		if id, ok := mostOften(g.cgroups); ok {
			ids[id] = ""
		}
	}

	if s.options.NameCgroups != nil {
		s.options.NameCgroups(ids)
	}

	for i, g := range shown {
		o := g.owner(now, s.scale())
		o.Rank = i + 1
		o.Aliases = append(o.Aliases, after.aliases[g.cache]...)
		o.CallSite = names.name(g.callSite)
		o.Stack = frames(names, stacks[i])
		o.CacheGrowthBytes = growthOf(g, before, after)

		if id, ok := mostOften(g.cgroups); ok {
			o.Cgroup = ids[id]
		}

		o.describe()
		r.Owners = append(r.Owners, o)
	}

	return nil
}

// frames names a stack without what the tracing itself has put on top of it.
func frames(names symbols, stack []uint64) []string {
	all := []string{}

	for _, address := range stack {
		name := names.name(address)
		if len(all) == 0 && isTracing(name) {
			continue
		}

		all = append(all, name)
	}

	return all
}

func isTracing(name string) bool {
	for _, prefix := range []string{"bpf_", "__bpf_", "__traceiter_", "0x"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}

	return false
}
