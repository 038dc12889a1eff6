package table

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/slab"
)

// Slab returns the totals and the top caches of a report as text.
func Slab(r *slab.Report) string {
	return SlabTotals(r) + "\n" + SlabCaches(r)
}

// SlabTotals returns what the report says of all caches together.
func SlabTotals(r *slab.Report) string {
	text := Table{Columns: []Column{{Title: "slab memory"}, {Title: "size", Right: true}, {Title: "growth", Right: true}, {}}}
	growth := func(pick func(*slab.Growth) *int64) string {
		if r.Growth == nil {
			return unknown
		}

		return rate(pick(r.Growth))
	}

	share := ""
	if r.SUnreclaimPct != nil {
		share = Percent(*r.SUnreclaimPct) + " of RAM"
	}

	text.Add("SUnreclaim", size(r.SUnreclaimBytes),
		growth(func(g *slab.Growth) *int64 { return &g.SUnreclaimBytesPerHour }), share)
	text.Add("  in caches", size(r.AttributedUnreclaimableBytes), "", "")

	share = ""
	if r.UnattributedPct != nil {
		share = Percent(*r.UnattributedPct) + " of SUnreclaim: large kmalloc, in no cache"
	}

	text.Add("  in no cache", size(r.UnattributedBytes),
		growth(func(g *slab.Growth) *int64 { return g.UnattributedBytesPerHour }), share)
	text.Add("SReclaimable", size(r.SReclaimableBytes),
		growth(func(g *slab.Growth) *int64 { return &g.SReclaimableBytesPerHour }), "")

	return text.String() + notes(r)
}

// notes are what a reader must know to trust the numbers.
func notes(r *slab.Report) string {
	var text strings.Builder

	if r.Fastest != nil {
		fmt.Fprintf(&text, "fastest growing unreclaimable cache: %s %s\n",
			r.Fastest.Name, BytesPerHour(float64(r.Fastest.GrowthBytesPerHour)))
	}

	for _, problem := range r.Problems {
		fmt.Fprintf(&text, "note: %s\n", problem)
	}

	return text.String()
}

// SlabCaches returns the top caches of a report.
func SlabCaches(r *slab.Report) string {
	text := Table{Columns: []Column{
		{Title: "#", Right: true}, {Title: "cache"}, {Title: "size", Right: true}, {Title: "of slab", Right: true},
		{Title: "growth", Right: true}, {Title: "objects", Right: true}, {Title: "filled", Right: true},
		{Title: "reclaimable"}, {Title: "merged with"},
	}}

	for _, c := range r.Top {
		text.Add(fmt.Sprint(c.Rank), c.Name, Bytes(c.SizeBytes), percentage(c.SharePct), rate(c.GrowthBytesPerHour),
			fmt.Sprint(c.Objects), percentage(c.FillPct), yesNo(c.Reclaimable), aliases(c.Aliases))
	}

	return text.String()
}

const (
	unknown      = "-"
	shownAliases = 3
)

func aliases(names []string) string {
	if more := len(names) - shownAliases; more > 0 {
		return strings.Join(names[:shownAliases], ", ") + fmt.Sprintf(" and %d more", more)
	}

	return strings.Join(names, ", ")
}

func size(n *uint64) string {
	if n == nil {
		return unknown
	}

	return Bytes(*n)
}

func rate(n *int64) string {
	if n == nil {
		return unknown
	}

	return BytesPerHour(float64(*n))
}

func percentage(p *float64) string {
	if p == nil {
		return unknown
	}

	return Percent(*p)
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return unknown
	case *b:
		return "yes"
	default:
		return "no"
	}
}
