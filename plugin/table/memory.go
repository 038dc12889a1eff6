package table

import (
	"strings"

	"zabbix-agent2-plugin-hosting/checks/memory"
)

// Memory returns where RAM went, kernel first, as text.
func Memory(r *memory.Report) string {
	text := Table{Columns: []Column{{Title: "RAM"}, {Title: "size", Right: true}, {Title: "share", Right: true}}}
	add := func(name string, bytes *uint64) {
		share := unknown
		if bytes != nil && r.TotalBytes != nil && *r.TotalBytes > 0 {
			share = Percent(100 * float64(*bytes) / float64(*r.TotalBytes))
		}

		text.Add(name, size(bytes), share)
	}

	add("total", r.TotalBytes)
	add("available", r.AvailableBytes)
	add("free", r.FreeBytes)
	add("page cache, anonymous, shared (LRU)", r.LRUBytes)
	add("huge pages", r.HugetlbBytes)
	add("compressed swap (zswap)", r.ZswapBytes)
	add("kernel", r.KernelBytes)
	add("  slab, unreclaimable", r.SUnreclaimBytes)
	add("  slab, reclaimable", r.SReclaimableBytes)
	add("  page tables", r.PageTablesBytes)
	add("  kernel stacks", r.KernelStackBytes)
	add("  per-CPU", r.PercpuBytes)
	add("  vmalloc", r.VmallocBytes)
	add("in no counter", r.UnexplainedBytes)

	var notes strings.Builder
	for _, problem := range r.Problems {
		notes.WriteString("note: " + problem + "\n")
	}

	return text.String() + notes.String()
}
