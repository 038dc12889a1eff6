package keys

import (
	"context"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/checks/slabunit"
)

const (
	// cgroupsShown is how many units hosting.slab.get names.
	cgroupsShown = 10
	// cgroupsFor is how long a walk through the cgroups serves: on a host with thousands it takes longer than all else in the value.
	cgroupsFor = 50 * time.Second
)

// SlabReport is the value of hosting.slab.get.
type SlabReport struct {
	*slab.Report

	// Cgroups tells whose slab memory it is, as far as anybody is charged for it; absent on hosts that do not count it.
	Cgroups *slabunit.Report `json:"cgroups,omitempty"`
}

// cgroupSlab remembers the last walk.
type cgroupSlab struct {
	mu     sync.Mutex
	reader *slabunit.Reader
	last   *slabunit.Report
	at     time.Time
}

// get is nil where the host counts no kernel memory by cgroup.
func (s *cgroupSlab) get(ctx context.Context) *slabunit.Report {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.at.IsZero() || time.Since(s.at) >= cgroupsFor {
		// What cannot be told is left out.
		s.last, _ = s.reader.Read(ctx, cgroupsShown)
		s.at = time.Now()
	}

	return s.last
}
