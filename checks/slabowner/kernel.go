package slabowner

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf/btf"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// layout is where this kernel keeps what the programs read.
type layout struct {
	cacheName, cacheSize, cacheFlags int32
	// reclaimable is SLAB_RECLAIM_ACCOUNT.
	reclaimable uint32
	// largest is the size of the largest kmalloc cache, two pages (KMALLOC_MAX_CACHE_SIZE). What is larger gets a power of two of pages, and lies at
	// a multiple of largeAlign, four pages, therefore.
	largest, largeAlign uint64
}

const (
	// reclaimableBefore is SLAB_RECLAIM_ACCOUNT of kernels whose flags are no enum yet (before 6.9).
	reclaimableBefore = 0x20000

	// Bits of gfp_t (include/linux/gfp_types.h), the same in all kernels from 6.1 on.
	gfpReclaimable = 1 << 4
	gfpAccount     = 1 << 22
	gfpDMA         = 1 << 0
)

// Positions of the arguments of the tracepoints, behind the one that is the probe's own.
const (
	argCallSite   = 1
	argPointer    = 2
	argCache      = 3
	argBytesAlloc = 4
	argAllocGFP   = 4
	argMallocGFP  = 5
)

// findLayout asks the kernel's BTF. errors.Is(err, fs.ErrNotExist) tells a kernel that is too old, or built without it.
func findLayout() (layout, error) {
	types, err := btf.LoadKernelSpec()
	if err != nil {
		return layout{}, unsupported(fmt.Sprintf("cannot read the kernel's types: %v; it needs Linux 6.1 or newer with CONFIG_DEBUG_INFO_BTF", err))
	}

	l, err := layoutOf(types)
	if err != nil {
		return l, unsupported(fmt.Sprintf("cannot follow allocations in this kernel: %v; it needs Linux 6.1 or newer", err))
	}

	return l, nil
}

func layoutOf(types *btf.Spec) (l layout, err error) {
	if err := checkTracepoints(types); err != nil {
		return l, err
	}

	for name, target := range map[string]*int32{"name": &l.cacheName, "size": &l.cacheSize, "flags": &l.cacheFlags} {
		field, err := bpf.Find(types, "kmem_cache", name, bpf.AnySize)
		if err != nil {
			return l, err
		}

		*target = field.Offset
	}

	page := uint64(os.Getpagesize())
	l.largest, l.largeAlign = 2*page, 4*page
	l.reclaimable = reclaimableBefore

	var flags *btf.Enum
	if types.TypeByName("_slab_flag_bits", &flags) == nil {
		for _, value := range flags.Values {
			if value.Name == "_SLAB_RECLAIM_ACCOUNT" {
				l.reclaimable = 1 << value.Value
			}
		}
	}

	return l, nil
}

// checkTracepoints holds the tracepoints to the arguments that the programs take: before 6.1 they were others.
func checkTracepoints(types *btf.Spec) error {
	alloc, err := bpf.Arguments(types, "btf_trace_kmem_cache_alloc")
	if err != nil {
		return err
	}

	if len(alloc) <= argAllocGFP || !bpf.PointsTo(alloc[argCache], "kmem_cache") {
		return errors.New("kmem_cache_alloc does not tell its cache")
	}

	malloc, err := bpf.Arguments(types, "btf_trace_kmalloc")
	if err != nil {
		return err
	}

	if len(malloc) <= argMallocGFP || !isTypedef(malloc[argBytesAlloc], "size_t") || !isTypedef(malloc[argMallocGFP], "gfp_t") {
		return errors.New("kmalloc does not tell its size")
	}

	return nil
}

func isTypedef(t btf.Type, name string) bool {
	def, ok := t.(*btf.Typedef)

	return ok && def.Name == name
}
