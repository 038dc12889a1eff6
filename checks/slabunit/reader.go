// Package slabunit tells whose slab memory it is: how much of it each unit of systemd, container or other cgroup is charged for. It needs
// no privilege, and it tells of charged memory only: what the kernel allocates for itself belongs to nobody.
package slabunit

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

	statFile   = "memory.stat"
	kernelFile = "memory.kmem.usage_in_bytes" // of version 1
)

// Reader walks the cgroups. It is not safe for concurrent use.
type Reader struct {
	sys    string
	buffer []byte
}

// NewReader reads below sysPath, on a real system "/sys".
func NewReader(sysPath string) *Reader { return &Reader{sys: sysPath} }

// Report tells who is charged for kernel memory.
type Report struct {
	ReadAt float64 `json:"read_at"`
	// CgroupVersion is of the memory controller. Version 1 tells all kernel memory of a cgroup and not what of it is slab.
	CgroupVersion int     `json:"cgroup_version"`
	DurationS     float64 `json:"duration_s"`
	// Units are those with the most memory; UnitsOmitted are more.
	Units        []Unit `json:"units"`
	UnitsOmitted int    `json:"units_omitted"`
	// Incomplete says that there were more cgroups than could be looked at.
	Incomplete bool `json:"incomplete"`
}

// Unit is a cgroup that is charged as a whole: a service, a scope, a container.
type Unit struct {
	// Name is the last part of the path, such as php8.2-fpm.service.
	Name   string `json:"name"`
	Cgroup string `json:"cgroup"`
	// A nil size is unknown. KernelBytes are slab, page tables, stacks and all else that the kernel allocated for it.
	UnreclaimableBytes *uint64 `json:"slab_unreclaimable_bytes,omitempty"`
	ReclaimableBytes   *uint64 `json:"slab_reclaimable_bytes,omitempty"`
	KernelBytes        *uint64 `json:"kernel_bytes,omitempty"`
}

// Read returns the n units with the most memory that the kernel cannot reclaim. errors.Is(err, fs.ErrNotExist) tells that this host counts no
// kernel memory by cgroup.
func (r *Reader) Read(ctx context.Context, n int) (*Report, error) {
	if n < 1 || n > MaxUnits {
		return nil, fmt.Errorf("cannot list %d units: ask for 1 to %d", n, MaxUnits)
	}

	mount, err := cgroup.FindMemory(r.sys, kernelFile)
	if err != nil {
		return nil, fmt.Errorf("cannot tell whose slab it is: %w and cgroup.memory=nokmem", err)
	}

	begun := time.Now()

	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()

	w := walk{reader: r, mount: mount}
	complete := cgroup.Walk(ctx, mount.Dir, false, w.visit)

	slices.SortFunc(w.units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(a.Cgroup, b.Cgroup))
	})

	shown := w.units[:min(n, len(w.units))]

	return &Report{
		ReadAt: float64(begun.UnixMilli()) / 1000, CgroupVersion: mount.Version, DurationS: time.Since(begun).Seconds(),
		Units: append([]Unit{}, shown...), UnitsOmitted: len(w.units) - len(shown), Incomplete: w.refused || !complete,
	}, nil
}

// weight is what units are sorted by.
func (u Unit) weight() uint64 {
	if u.UnreclaimableBytes != nil {
		return *u.UnreclaimableBytes
	}

	if u.KernelBytes != nil {
		return *u.KernelBytes
	}

	return 0
}

// walk gathers the units.
type walk struct {
	reader  *Reader
	mount   cgroup.Mount
	units   []Unit
	refused bool
}

// visit takes what is charged as a whole. What a unit is charged for holds what those below it are.
func (w *walk) visit(g cgroup.Group) bool {
	if g.Unit == "" {
		return true
	}

	file, parse := statFile, (*Unit).takeStat
	if w.mount.Version == 1 {
		file, parse = kernelFile, (*Unit).takeKernelBytes
	}

	var err error

	r := w.reader
	if r.buffer, err = procfile.Read(filepath.Join(g.Dir, file), r.buffer); err != nil {
		// It has gone away, or the controller is not on for it.
		w.refused = w.refused || errors.Is(err, fs.ErrPermission)

		return true
	}

	u := Unit{Name: path.Base(g.Path), Cgroup: g.Path}
	parse(&u, r.buffer)
	w.units = append(w.units, u)

	return true
}
