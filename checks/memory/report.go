package memory

import "math"

// schema is raised when a field of the payload changes its meaning.
const schema = 1

// Report is the payload of hosting.memory.get. A nil field is unknown: this kernel does not tell.
type Report struct {
	Schema int `json:"schema"`

	TotalBytes     *uint64  `json:"total_bytes,omitempty"`
	FreeBytes      *uint64  `json:"free_bytes,omitempty"`
	AvailableBytes *uint64  `json:"available_bytes,omitempty"`
	AvailablePct   *float64 `json:"available_pct,omitempty"`

	SlabBytes         *uint64  `json:"slab_bytes,omitempty"`
	SlabPct           *float64 `json:"slab_pct,omitempty"`
	SUnreclaimBytes   *uint64  `json:"sunreclaim_bytes,omitempty"`
	SUnreclaimPct     *float64 `json:"sunreclaim_pct,omitempty"`
	SReclaimableBytes *uint64  `json:"sreclaimable_bytes,omitempty"`
	SReclaimablePct   *float64 `json:"sreclaimable_pct,omitempty"`

	KernelStackBytes *uint64 `json:"kernel_stack_bytes,omitempty"`
	PageTablesBytes  *uint64 `json:"page_tables_bytes,omitempty"`
	PercpuBytes      *uint64 `json:"percpu_bytes,omitempty"`
	// VmallocBytes is without the kernel stacks, which are vmalloced but have their own field.
	VmallocBytes               *uint64 `json:"vmalloc_bytes,omitempty"`
	KernelMiscReclaimableBytes *uint64 `json:"kernel_misc_reclaimable_bytes,omitempty"`
	HugetlbBytes               *uint64 `json:"hugetlb_bytes,omitempty"`
	ZswapBytes                 *uint64 `json:"zswap_bytes,omitempty"`
	BounceBytes                *uint64 `json:"bounce_bytes,omitempty"`

	// LRUBytes is what the kernel could page: page cache, anonymous and shared memory.
	LRUBytes  *uint64 `json:"lru_bytes,omitempty"`
	AnonBytes *uint64 `json:"anon_bytes,omitempty"`
	// PageCacheBytes is the cache of files and block devices, without the shared memory that the kernel counts there.
	PageCacheBytes *uint64 `json:"page_cache_bytes,omitempty"`
	ShmemBytes     *uint64 `json:"shmem_bytes,omitempty"`

	// KernelBytes is the sum of the kernel's own shares as far as they are known.
	KernelBytes *uint64  `json:"kernel_bytes,omitempty"`
	KernelPct   *float64 `json:"kernel_pct,omitempty"`
	// UnexplainedBytes is RAM that is neither free nor in any counter: pages that a driver or a leak took directly.
	UnexplainedBytes *uint64  `json:"unexplained_bytes,omitempty"`
	UnexplainedPct   *float64 `json:"unexplained_pct,omitempty"`

	SwapTotalBytes   *uint64 `json:"swap_total_bytes,omitempty"`
	SwapFreeBytes    *uint64 `json:"swap_free_bytes,omitempty"`
	CommittedBytes   *uint64 `json:"committed_bytes,omitempty"`
	CommitLimitBytes *uint64 `json:"commit_limit_bytes,omitempty"`

	// Meminfo holds every field of the file under the kernel's name.
	Meminfo  map[string]uint64 `json:"meminfo"`
	Problems []string          `json:"problems,omitempty"`
}

// Report builds the payload of hosting.memory.get.
func (m *Meminfo) Report() *Report {
	r := &Report{
		Schema:            schema,
		TotalBytes:        m.known("MemTotal"),
		FreeBytes:         m.known("MemFree"),
		AvailableBytes:    m.known("MemAvailable"),
		SlabBytes:         m.known("Slab"),
		SUnreclaimBytes:   m.known("SUnreclaim"),
		SReclaimableBytes: m.known("SReclaimable"),
		KernelStackBytes:  m.known("KernelStack"),
		PageTablesBytes:   sum(m.known("PageTables"), m.known("SecPageTables")),
		PercpuBytes:       m.known("Percpu"),
		VmallocBytes:      m.vmalloc(),
		HugetlbBytes:      m.hugetlb(),
		ZswapBytes:        m.known("Zswap"),
		BounceBytes:       m.known("Bounce"),
		LRUBytes:          m.lru(),
		AnonBytes:         m.known("AnonPages"),
		PageCacheBytes:    minus(sum(m.known("Cached"), m.known("Buffers")), m.known("Shmem")),
		ShmemBytes:        m.known("Shmem"),
		SwapTotalBytes:    m.known("SwapTotal"),
		SwapFreeBytes:     m.known("SwapFree"),
		CommittedBytes:    m.known("Committed_AS"),
		CommitLimitBytes:  m.known("CommitLimit"),
		Meminfo:           make(map[string]uint64, len(m.names)),
		Problems:          m.problems.List(),
	}
	r.KernelMiscReclaimableBytes = minus(m.known("KReclaimable"), r.SReclaimableBytes)

	if r.SlabBytes != nil {
		r.KernelBytes = sum(r.SlabBytes, r.KernelStackBytes, r.PageTablesBytes, r.PercpuBytes, r.VmallocBytes,
			r.KernelMiscReclaimableBytes, r.BounceBytes)
	}

	if used := minus(r.TotalBytes, r.FreeBytes); used != nil && r.LRUBytes != nil && r.KernelBytes != nil {
		r.UnexplainedBytes = minus(used, sum(r.LRUBytes, r.KernelBytes, r.HugetlbBytes, r.ZswapBytes))
	}

	r.AvailablePct = m.pct(r.AvailableBytes)
	r.SlabPct = m.pct(r.SlabBytes)
	r.SUnreclaimPct = m.pct(r.SUnreclaimBytes)
	r.SReclaimablePct = m.pct(r.SReclaimableBytes)
	r.KernelPct = m.pct(r.KernelBytes)
	r.UnexplainedPct = m.pct(r.UnexplainedBytes)

	for i, name := range m.names {
		r.Meminfo[name] = m.values[i]
	}

	return r
}

// vmalloc is unknown where VmallocUsed does not count pages: up to 4.3 it was address space, from 4.4 to 5.2 always 0
// (KReclaimable, of 4.20, tells the first from the others).
func (m *Meminfo) vmalloc() *uint64 {
	used := m.known("VmallocUsed")
	if used == nil || *used == 0 || m.known("KReclaimable") == nil {
		return nil
	}

	return minus(used, sum(m.known("KernelStack"), new(uint64)))
}

// hugetlb works out what kernels before 4.18 do not sum up.
func (m *Meminfo) hugetlb() *uint64 {
	if all := m.known("Hugetlb"); all != nil {
		return all
	}

	count, size := m.known("HugePages_Total"), m.known("Hugepagesize")
	if count == nil || size == nil {
		return nil
	}

	return new(*count * *size)
}

func (m *Meminfo) lru() *uint64 {
	active, inactive := m.known("Active"), m.known("Inactive")
	if active == nil || inactive == nil {
		return nil
	}

	return sum(active, inactive, m.known("Unevictable"))
}

func (m *Meminfo) known(field string) *uint64 {
	if value, ok := m.Bytes(field); ok {
		return &value
	}

	return nil
}

// pct is the share of MemTotal in percent with two decimals.
func (m *Meminfo) pct(bytes *uint64) *float64 {
	if total, _ := m.Bytes("MemTotal"); bytes == nil || total == 0 {
		return nil
	}

	return new(math.Round(m.Percent(*bytes)*100) / 100)
}

// sum adds up what is known; nil when nothing is.
func sum(parts ...*uint64) *uint64 {
	var total *uint64

	for _, part := range parts {
		switch {
		case part == nil:
		case total == nil:
			total = new(*part)
		default:
			*total += *part
		}
	}

	return total
}

// minus never falls below 0, for the counters are not read at one instant; nil when either is unknown.
func minus(a, b *uint64) *uint64 {
	if a == nil || b == nil {
		return nil
	}

	return new(*a - min(*a, *b))
}
