package kmemleak

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
)

// schema is raised when a field of the payload changes its meaning.
const schema = 1

const (
	maxGroups    = 10_000
	maxProcesses = 10
)

// Report is the payload of hosting.kmemleak.get.
type Report struct {
	Schema int `json:"schema"`
	// Available is false where the kernel has no kmemleak, or it is switched off. Reason then says why and what helps instead; it also says where that
	// cannot be told of an empty list.
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
	Objects   uint64 `json:"objects"`
	Bytes     uint64 `json:"bytes"`
	// Cut says that the file was longer than what is read of it: there is more than is counted here.
	Cut    bool    `json:"cut"`
	Groups []Group `json:"groups"`
	// GroupsOmitted have fewer bytes than those in Groups.
	GroupsOmitted int `json:"groups_omitted"`
	// SourceReason says why lines are missing in the groups' Source.
	SourceReason string   `json:"source_reason,omitempty"`
	Problems     []string `json:"problems,omitempty"`
}

// Group are the objects that one code path allocated.
type Group struct {
	Rank    int    `json:"rank"`
	Objects uint64 `json:"objects"`
	Bytes   uint64 `json:"bytes"`
	// Stack is the code path, the innermost function first. An address stands for code that is no longer there, as that of a module that
	// was unloaded.
	Stack []string `json:"stack"`
	// Source are the lines of Stack in the kernel's source, "mm/slab_common.c:1062", as far as they are known; absent where none is.
	Source []string `json:"source,omitempty"`
	// Processes allocated them, those with the most objects first; ProcessesOmitted are more.
	Processes        []Process `json:"processes"`
	ProcessesOmitted int       `json:"processes_omitted,omitempty"`
	// OldestAgeS is absent where the kernel tells no ages.
	OldestAgeS    *float64 `json:"oldest_age_s,omitempty"`
	OldestJiffies uint64   `json:"oldest_jiffies"`
}

// Process is a name among those who allocated.
type Process struct {
	Name    string `json:"name"`
	Objects uint64 `json:"objects"`
}

// collection groups objects by the path that allocated them.
type collection struct {
	objects, bytes uint64
	groups         map[string]*gathered
	// dropped counts groups beyond maxGroups.
	dropped map[string]struct{}
}

type gathered struct {
	objects, bytes, jiffies uint64
	stack                   []string
	comms                   map[string]uint64
	age                     time.Duration
	aged                    bool
}

func newCollection() *collection {
	return &collection{groups: map[string]*gathered{}, dropped: map[string]struct{}{}}
}

func (c *collection) add(o *object) {
	c.objects++
	c.bytes += o.size

	functions := make([]string, len(o.stack))
	for i, frame := range o.stack {
		functions[i] = function(frame)
	}

	key := strings.Join(functions, "\n")

	g := c.groups[key]
	if g == nil {
		if len(c.groups) >= maxGroups {
			c.dropped[key] = struct{}{}

			return
		}

		g = &gathered{stack: o.stack, comms: map[string]uint64{}, jiffies: o.jiffies}
		c.groups[key] = g
	}

	g.objects++
	g.bytes += o.size
	g.comms[o.comm]++
	g.jiffies = min(g.jiffies, o.jiffies)
	g.age, g.aged = max(g.age, o.age), g.aged || o.ageKnown
}

// function leaves the offset away, which differs where a function allocates at several places in one loop or inlined copy.
func function(frame string) string {
	name, _, _ := strings.Cut(frame, "+0x")

	return name
}

func (c *collection) report(n int) *Report {
	all := slices.SortedFunc(maps.Values(c.groups), func(a, b *gathered) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(b.objects, a.objects), slices.Compare(a.stack, b.stack))
	})
	shown := all[:min(n, len(all))]
	r := &Report{
		Schema: schema, Available: true, Objects: c.objects, Bytes: c.bytes, Groups: make([]Group, len(shown)),
		GroupsOmitted: len(all) - len(shown) + len(c.dropped),
	}

	for i, g := range shown {
		r.Groups[i] = g.group(i + 1)
	}

	return r
}

// find finds the lines of all stacks.
func (r *Report) find(source *kernelsource.Finder) {
	stacks := make([][]string, len(r.Groups))
	for i := range r.Groups {
		stacks[i] = r.Groups[i].Stack
	}

	lines := source.Find(sourceTime, stacks...)
	r.SourceReason = lines.Reason

	for i := range r.Groups {
		r.Groups[i].Source = lines.Of(r.Groups[i].Stack)
	}
}

func (g *gathered) group(rank int) Group {
	out := Group{Rank: rank, Objects: g.objects, Bytes: g.bytes, Stack: append([]string{}, g.stack...), OldestJiffies: g.jiffies}
	if g.aged {
		out.OldestAgeS = new(g.age.Seconds())
	}

	for name, objects := range g.comms {
		out.Processes = append(out.Processes, Process{Name: name, Objects: objects})
	}

	slices.SortFunc(out.Processes, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.Objects, a.Objects), cmp.Compare(a.Name, b.Name))
	})

	if len(out.Processes) > maxProcesses {
		out.ProcessesOmitted = len(out.Processes) - maxProcesses
		out.Processes = out.Processes[:maxProcesses]
	}

	return out
}
