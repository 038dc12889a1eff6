// Package oomunit tells how many processes of which unit of systemd, container or other cgroup the OOM killer has killed, by the kernel's own count. It
// needs no privilege. A count ends with its cgroup, so it is of the time since the unit was started.
package oomunit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

// Reader walks the cgroups. It is not safe for concurrent use.
type Reader struct{ memory *cgroup.MemoryReader }

// NewReader reads below sysPath, on a real system "/sys". In version 1 a unit's count has not those of the cgroups within it.
func NewReader(sysPath string) *Reader {
	return &Reader{cgroup.NewMemoryReader(sysPath, "memory.events", "memory.oom_control", true)}
}

// Report tells in which units the OOM killer killed. Units are those with the most kills; units without a kill are not among them.
type Report = cgroup.Report[Unit]

// Unit is a service, a scope or a container; or, where Ended, what is left of such that were in a slice and are gone.
type Unit struct {
	// Name is the last part of the path, such as php8.2-fpm.service.
	Name   string `json:"name"`
	Cgroup string `json:"cgroup"`
	Ended  bool   `json:"ended"`
	// Kills are the processes that were killed, wherever the memory had run out.
	Kills uint64 `json:"oom_kills"`
	// AtLimit is how often the unit needed more memory than its own limit and nothing was left to reclaim; GroupKills how often all its processes were
	// killed at once (memory.oom.group). Both are nil with version 1 and where Ended.
	AtLimit    *uint64 `json:"ooms,omitempty"`
	GroupKills *uint64 `json:"group_kills,omitempty"`
}

// Read returns the n units with the most kills. errors.Is(err, fs.ErrNotExist) tells that this host counts none by cgroup.
func (r *Reader) Read(ctx context.Context, n int) (*Report, error) {
	all := tally{byUnit: make(map[string]int), children: make(map[string]uint64)}

	reading, err := r.memory.Read(ctx, n, func(version int, g cgroup.Group, content []byte) {
		if c, known := parseCounts(content); known {
			all.take(version, g, c)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cannot tell in which units processes were killed: %w", err)
	}

	units := all.units

	if !reading.Incomplete {
		units = append(units, all.ended()...)
	}

	units = slices.DeleteFunc(units, func(u Unit) bool { return u.Kills == 0 })
	slices.SortFunc(units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(b.Kills, a.Kills), compareBool(a.Ended, b.Ended), cmp.Compare(a.Cgroup, b.Cgroup))
	})

	return cgroup.List(reading, units, n, func(u *Unit) (name, path *string) { return &u.Name, &u.Cgroup }), nil
}

// compareBool has what is false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}

	return 1
}
