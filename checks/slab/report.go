package slab

import (
	"math"
	"time"
)

// schema is raised when a field of the payload changes its meaning.
const schema = 1

// Report is the payload of hosting.slab.get. A nil field is unknown.
type Report struct {
	Schema int     `json:"schema"`
	ReadAt float64 `json:"read_at"`
	Caches int     `json:"caches"`

	SlabBytes         *uint64  `json:"slab_bytes,omitempty"`
	SUnreclaimBytes   *uint64  `json:"sunreclaim_bytes,omitempty"`
	SReclaimableBytes *uint64  `json:"sreclaimable_bytes,omitempty"`
	SUnreclaimPct     *float64 `json:"sunreclaim_pct,omitempty"`

	AttributedUnreclaimableBytes *uint64 `json:"attributed_unreclaimable_bytes,omitempty"`
	AttributedReclaimableBytes   *uint64 `json:"attributed_reclaimable_bytes,omitempty"`
	// UnattributedBytes is the part of SUnreclaim in no cache: allocations beyond the largest kmalloc cache. On hosts
	// with many processors the kernel's counters lag behind by up to some MB.
	UnattributedBytes *uint64  `json:"unattributed_bytes,omitempty"`
	UnattributedPct   *float64 `json:"unattributed_pct,omitempty"`

	Growth  *Growth  `json:"growth,omitempty"`
	Fastest *Fastest `json:"fastest,omitempty"`
	Top     []Top    `json:"top"`
	// Watched holds every cache that discovery has named, also when it is no longer at the top. Until the first
	// discovery after a start the largest caches stand in.
	Watched  map[string]Watched `json:"watched"`
	Problems []string           `json:"problems,omitempty"`
}

// Growth is the growth of the totals over the history, nil where it is younger than 120 s.
type Growth struct {
	WindowS                  float64 `json:"window_s"`
	SUnreclaimBytesPerHour   int64   `json:"sunreclaim_bytes_per_hour"`
	SReclaimableBytesPerHour int64   `json:"sreclaimable_bytes_per_hour"`
	UnattributedBytesPerHour *int64  `json:"unattributed_bytes_per_hour,omitempty"`
}

// Fastest is the fastest growing cache that the kernel cannot reclaim.
type Fastest struct {
	Name               string   `json:"name"`
	Aliases            []string `json:"aliases"`
	SizeBytes          uint64   `json:"size_bytes"`
	GrowthBytesPerHour int64    `json:"growth_bytes_per_hour"`
}

// Top is one of the first n caches in the order asked for.
type Top struct {
	Rank           int      `json:"rank"`
	Name           string   `json:"name"`
	Aliases        []string `json:"aliases"`
	Reclaimable    *bool    `json:"reclaimable,omitempty"`
	SizeBytes      uint64   `json:"size_bytes"`
	SharePct       *float64 `json:"share_pct,omitempty"`
	Objects        uint64   `json:"objects"`
	ActiveObjects  uint64   `json:"active_objects"`
	ObjectSize     uint64   `json:"object_size_bytes"`
	ObjectsPerSlab uint64   `json:"objects_per_slab"`
	SlabSizeBytes  uint64   `json:"slab_size_bytes"`
	Slabs          uint64   `json:"slabs"`
	// FillPct is the share of the memory that active objects fill, nil for a cache without memory.
	FillPct            *float64 `json:"fill_pct,omitempty"`
	GrowthBytesPerHour *int64   `json:"growth_bytes_per_hour,omitempty"`
}

// Watched is the short form of a cache. One that no longer exists holds no memory.
type Watched struct {
	SizeBytes          uint64 `json:"size_bytes"`
	Objects            uint64 `json:"objects"`
	Reclaimable        *bool  `json:"reclaimable,omitempty"`
	GrowthBytesPerHour *int64 `json:"growth_bytes_per_hour,omitempty"`
}

// measured is a cache with its growth in bytes per hour, nil while unknown.
type measured struct {
	*Cache

	growth *int64
}

func newReport(s *Snapshot) *Report {
	r := &Report{
		Schema:            schema,
		ReadAt:            seconds(s.ReadAt),
		Caches:            len(s.Caches),
		SlabBytes:         s.field("Slab"),
		SUnreclaimBytes:   s.field("SUnreclaim"),
		SReclaimableBytes: s.field("SReclaimable"),
		UnattributedBytes: s.unattributed(),
		Watched:           map[string]Watched{},
		Problems:          s.Problems,
	}

	if r.SUnreclaimBytes != nil {
		r.SUnreclaimPct = new(round2(s.Memory.Percent(*r.SUnreclaimBytes)))
	}

	if s.Attributed {
		r.AttributedUnreclaimableBytes = new(s.UnreclaimableBytes)
		r.AttributedReclaimableBytes = new(s.ReclaimableBytes)
	}

	if r.UnattributedBytes != nil {
		r.UnattributedPct = percent(*r.UnattributedBytes, s.sunreclaim())
	}

	return r
}

func (m measured) top(rank int, slab *uint64, pageSize uint64) Top {
	top := Top{
		Rank:               rank,
		Name:               m.Name,
		Aliases:            append([]string{}, m.Aliases...),
		Reclaimable:        m.Reclaim.known(),
		SizeBytes:          m.SizeBytes,
		Objects:            m.Objects,
		ActiveObjects:      m.ActiveObjects,
		ObjectSize:         m.ObjectSize,
		ObjectsPerSlab:     m.ObjectsPerSlab,
		SlabSizeBytes:      m.PagesPerSlab * pageSize,
		Slabs:              m.Slabs,
		FillPct:            percent(m.ActiveBytes, m.SizeBytes),
		GrowthBytesPerHour: m.growth,
	}

	if slab != nil {
		top.SharePct = percent(m.SizeBytes, *slab)
	}

	return top
}

func (m measured) watched() Watched {
	return Watched{
		SizeBytes:          m.SizeBytes,
		Objects:            m.Objects,
		Reclaimable:        m.Reclaim.known(),
		GrowthBytesPerHour: m.growth,
	}
}

// fastest is nil where no unreclaimable cache grows.
func fastest(caches []measured) *Fastest {
	var first *measured

	for i := range caches {
		m := &caches[i]
		if m.Reclaim != ReclaimNo || m.growth == nil || *m.growth <= 0 {
			continue
		}

		if first == nil || *m.growth > *first.growth {
			first = m
		}
	}

	if first == nil {
		return nil
	}

	return &Fastest{
		Name:               first.Name,
		Aliases:            append([]string{}, first.Aliases...),
		SizeBytes:          first.SizeBytes,
		GrowthBytesPerHour: *first.growth,
	}
}

func (r Reclaim) known() *bool {
	if r == ReclaimUnknown {
		return nil
	}

	return new(r == ReclaimYes)
}

func percent(part, whole uint64) *float64 {
	if whole == 0 {
		return nil
	}

	return new(round2(100 * float64(part) / float64(whole)))
}

func round2(x float64) float64 { return math.Round(x*100) / 100 }

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
