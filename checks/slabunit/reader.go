// Package slabunit tells whose slab memory it is: how much of it each unit of systemd, container or other cgroup is charged for. It needs
// no privilege, and it tells of charged memory only: what the kernel allocates for itself belongs to nobody.
package slabunit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// MaxUnits is the largest n of Read.
	MaxUnits = 100
	// maxCgroups and maxTime bound what a host with thousands of customers' cgroups costs.
	maxCgroups = 10_000
	maxTime    = 500 * time.Millisecond
)

// Reader walks the cgroups. It is not safe for concurrent use.
type Reader struct {
	root   string
	buffer []byte
}

// NewReader reads below sysPath, on a real system "/sys".
func NewReader(sysPath string) *Reader { return &Reader{root: filepath.Join(sysPath, "fs/cgroup")} }

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

// hierarchy is where a version of the memory controller is mounted, and what it says.
type hierarchy struct {
	version int
	dir     string
	file    string
	parse   func(*Unit, []byte)
}

// Read returns the n units with the most memory that the kernel cannot reclaim. errors.Is(err, fs.ErrNotExist) tells that this host counts no
// kernel memory by cgroup.
func (r *Reader) Read(ctx context.Context, n int) (*Report, error) {
	if n < 1 || n > MaxUnits {
		return nil, fmt.Errorf("cannot list %d units: ask for 1 to %d", n, MaxUnits)
	}

	h, err := r.find()
	if err != nil {
		return nil, err
	}

	begun := time.Now()

	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()

	w := walk{reader: r, hierarchy: h}
	w.visit(ctx, h.dir)

	slices.SortFunc(w.units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(a.Cgroup, b.Cgroup))
	})

	shown := w.units[:min(n, len(w.units))]

	return &Report{
		ReadAt: float64(begun.UnixMilli()) / 1000, CgroupVersion: h.version, DurationS: time.Since(begun).Seconds(),
		Units: append([]Unit{}, shown...), UnitsOmitted: len(w.units) - len(shown), Incomplete: w.incomplete,
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

// find looks where the memory controller is: alone in version 2, or beside it in version 1 (cgroups(7)).
func (r *Reader) find() (hierarchy, error) {
	for _, h := range []hierarchy{
		{2, r.root, "memory.stat", (*Unit).takeStat},
		{2, filepath.Join(r.root, "unified"), "memory.stat", (*Unit).takeStat},
		{1, filepath.Join(r.root, "memory"), "memory.kmem.usage_in_bytes", (*Unit).takeKernelBytes},
	} {
		// The root of version 2 has the file only on newer kernels; its controllers are named on all.
		controllers, _ := os.ReadFile(filepath.Join(h.dir, "cgroup.controllers"))
		if h.version == 2 && slices.Contains(strings.Fields(string(controllers)), "memory") {
			return h, nil
		}

		if _, err := os.Stat(filepath.Join(h.dir, h.file)); h.version == 1 && err == nil {
			return h, nil
		}
	}

	return hierarchy{}, fmt.Errorf("cannot tell whose slab it is: no memory controller below %s: %w; boot without cgroup_disable=memory and cgroup.memory=nokmem",
		r.root, fs.ErrNotExist)
}

// walk goes down to the units.
type walk struct {
	reader     *Reader
	hierarchy  hierarchy
	units      []Unit
	seen       int
	incomplete bool
}

// visit takes a directory that is a unit or has no other below it, and goes into others. What a unit is charged for holds what those below
// it are.
func (w *walk) visit(ctx context.Context, dir string) {
	if w.seen++; w.seen > maxCgroups || ctx.Err() != nil {
		w.incomplete = true

		return
	}

	below := []string(nil)
	if !isUnit(dir) {
		below = directories(dir)
	}

	for _, name := range below {
		w.visit(ctx, filepath.Join(dir, name))
	}

	if len(below) == 0 && dir != w.hierarchy.dir {
		w.take(dir)
	}
}

func isUnit(dir string) bool {
	switch filepath.Ext(dir) {
	case ".service", ".scope", ".socket", ".mount", ".swap":
		return true
	}

	return false
}

// directories is empty for a cgroup that has gone away.
func directories(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}

	var names []string

	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}

	return names
}

func (w *walk) take(dir string) {
	var err error

	r := w.reader
	if r.buffer, err = procfile.Read(filepath.Join(dir, w.hierarchy.file), r.buffer); err != nil {
		// It has gone away, or the controller is not on for it.
		w.incomplete = w.incomplete || errors.Is(err, fs.ErrPermission)

		return
	}

	cgroup := path.Join("/", strings.TrimPrefix(dir, w.hierarchy.dir))
	u := Unit{Name: path.Base(cgroup), Cgroup: cgroup}
	w.hierarchy.parse(&u, r.buffer)
	w.units = append(w.units, u)
}
