// Package slabunit tells whose slab memory it is: how much of it each unit of systemd, container or other cgroup is charged for. It needs
// no privilege, and it tells of charged memory only: what the kernel allocates for itself belongs to nobody.
package slabunit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

// Reader walks the cgroups. It is not safe for concurrent use.
type Reader struct{ memory *cgroup.MemoryReader }

// NewReader reads below sysPath, on a real system "/sys".
func NewReader(sysPath string) *Reader {
	return &Reader{cgroup.NewMemoryReader(sysPath, "memory.stat", "memory.kmem.usage_in_bytes", false)}
}

// Report tells who is charged for kernel memory. Version 1 of cgroups tells all kernel memory of a cgroup and not what of it is slab.
// Units are those with the most memory.
type Report = cgroup.Report[Unit]

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
	var units []Unit

	// What a unit is charged for holds what those below it are.
	reading, err := r.memory.Read(ctx, n, func(version int, g cgroup.Group, content []byte) {
		if g.Unit == "" {
			return
		}

		u := Unit{Cgroup: g.Path}

		if version == 1 {
			u.takeKernelBytes(content)
		} else {
			u.takeStat(content)
		}

		units = append(units, u)
	})
	if err != nil {
		return nil, fmt.Errorf("cannot tell whose slab it is: %w", err)
	}

	slices.SortFunc(units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(a.Cgroup, b.Cgroup))
	})

	return cgroup.List(reading, units, n, func(u *Unit) (name, path *string) { return &u.Name, &u.Cgroup }), nil
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
