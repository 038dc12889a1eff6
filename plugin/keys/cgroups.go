package keys

import (
	"context"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/checks/slabunit"
)

const (
	// cgroupsShown is how many units hosting.slab.get and hosting.oom.get name.
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

// cgroupWalk remembers the last walk.
type cgroupWalk[R any] struct {
	mu   sync.Mutex
	read func(ctx context.Context, n int) (*R, error)
	last *R
	at   time.Time
}

// get is nil where the host counts nothing of the kind by cgroup.
func (w *cgroupWalk[R]) get(ctx context.Context) *R {
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.at.IsZero() || time.Since(w.at) >= cgroupsFor {
		// What cannot be told is left out.
		w.last, _ = w.read(ctx, cgroupsShown)
		w.at = time.Now()
	}

	return w.last
}
