// Package oomunit tells how many processes of which unit of systemd, container or other cgroup the OOM killer has killed, by the kernel's own count. It
// needs no privilege. A count ends with its cgroup, so it is of the time since the unit was started.
package oomunit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// MaxUnits is the largest n of Read.
	MaxUnits = 100
	// maxTime bounds what a host with thousands of customers' cgroups costs.
	maxTime = 500 * time.Millisecond

	eventsFile  = "memory.events"
	controlFile = "memory.oom_control" // of version 1
)

// Reader walks the cgroups. It is not safe for concurrent use.
type Reader struct {
	sys    string
	buffer []byte
}

// NewReader reads below sysPath, on a real system "/sys".
func NewReader(sysPath string) *Reader { return &Reader{sys: sysPath} }

// Report tells in which units the OOM killer killed.
type Report struct {
	ReadAt float64 `json:"read_at"`
	// CgroupVersion is of the memory controller.
	CgroupVersion int     `json:"cgroup_version"`
	DurationS     float64 `json:"duration_s"`
	// Units are those with the most kills; UnitsOmitted are more. Units without a kill are not among them.
	Units        []Unit `json:"units"`
	UnitsOmitted int    `json:"units_omitted"`
	// Incomplete says that there were more cgroups than could be looked at.
	Incomplete bool `json:"incomplete"`
}

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
	if n < 1 || n > MaxUnits {
		return nil, fmt.Errorf("cannot list %d units: ask for 1 to %d", n, MaxUnits)
	}

	mount, err := cgroup.FindMemory(r.sys, controlFile)
	if err != nil {
		return nil, fmt.Errorf("cannot tell in which units processes were killed: %w", err)
	}

	begun := time.Now()

	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()

	w := walk{reader: r, mount: mount, byUnit: make(map[string]int), children: make(map[string]uint64)}
	// In version 1 a unit's count has not those of the cgroups within it.
	complete := cgroup.Walk(ctx, mount.Dir, mount.Version == 1, w.visit) && !w.refused
	all := w.units

	if mount.Version == 2 && complete {
		all = append(all, ended(w.slices, w.children)...)
	}

	all = slices.DeleteFunc(all, func(u Unit) bool { return u.Kills == 0 })
	slices.SortFunc(all, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(b.Kills, a.Kills), compareBool(a.Ended, b.Ended), cmp.Compare(a.Cgroup, b.Cgroup))
	})

	shown := all[:min(n, len(all))]
	for i := range shown {
		shown[i].Cgroup = procfile.Printable(shown[i].Cgroup)
		shown[i].Name = path.Base(shown[i].Cgroup)
	}

	return &Report{
		ReadAt: float64(begun.UnixMilli()) / 1000, CgroupVersion: mount.Version, DurationS: time.Since(begun).Seconds(),
		Units: append([]Unit{}, shown...), UnitsOmitted: len(all) - len(shown), Incomplete: !complete,
	}, nil
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

// walk gathers the counts.
type walk struct {
	reader *Reader
	mount  cgroup.Mount
	units  []Unit
	// byUnit is the place in units by the unit's path.
	byUnit map[string]int
	// slices are above the units, and children the sum of what is directly below each, by its path.
	slices   []Unit
	children map[string]uint64
	refused  bool
}

func (w *walk) visit(g cgroup.Group) bool {
	file := eventsFile
	if w.mount.Version == 1 {
		file = controlFile
	}

	var err error

	r := w.reader
	if r.buffer, err = procfile.Read(filepath.Join(g.Dir, file), r.buffer); err != nil {
		// It has gone away, or the controller is not on for it.
		w.refused = w.refused || errors.Is(err, fs.ErrPermission)

		return true
	}

	if c, known := parseCounts(r.buffer); known {
		w.take(g, c)
	}

	return true
}

func (w *walk) take(g cgroup.Group, c counts) {
	w.children[path.Dir(g.Path)] += c.kills

	u := Unit{Cgroup: g.Path, Kills: c.kills, AtLimit: c.limits, GroupKills: c.groupKills}

	// A slice of version 1 counts its own processes only, as a unit does. One of version 2 may have nothing in it any more.
	if w.mount.Version == 2 && (g.Unit == "" || path.Ext(g.Path) == ".slice") {
		w.slices = append(w.slices, u)

		return
	}

	if at, known := w.byUnit[g.Unit]; known && g.Unit != "" {
		w.units[at].Kills += c.kills

		return
	}

	w.byUnit[g.Unit] = len(w.units)
	w.units = append(w.units, u)
}

// ended are the kills that a slice has counted and nothing in it has any more. A slice is read before what is in it, so a kill meanwhile makes none.
func ended(slices []Unit, children map[string]uint64) (gone []Unit) {
	for _, s := range slices {
		if below := children[s.Cgroup]; s.Kills > below {
			gone = append(gone, Unit{Cgroup: s.Cgroup, Ended: true, Kills: s.Kills - below})
		}
	}

	return gone
}
