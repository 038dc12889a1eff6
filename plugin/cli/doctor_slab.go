package cli

import (
	"context"
	"encoding/json"

	"zabbix-agent2-plugin-hosting/plugin/keys"
)

// examineSlab reads the slab caches once for all that is told of them.
func examineSlab(checks *keys.Checks) (caches, reclaimable, units finding) {
	const (
		key      = "hosting.slab.get"
		notTried = "not tried, since the slab caches cannot be read"
		mend     = "see slab caches above"
	)

	caches = finding{Name: "slab caches", OK: true, Found: key + " works"}
	reclaimable = finding{Name: "reclaimable or not", Found: notTried, Mend: mend}
	units = finding{Name: "slab by unit", Found: notTried, Mend: mend}

	value, err := checks.Evaluate(context.Background(), key, nil)
	if err != nil {
		caches = failing(caches.Name, err)
		reclaimable.Less, units.Less = caches.Less, caches.Less

		return caches, reclaimable, units
	}

	var report keys.SlabReport
	if json.Unmarshal([]byte(value), &report) != nil {
		return caches, reclaimable, units
	}

	return caches, reclaimableFinding(&report).named(reclaimable.Name), unitsFinding(&report).named(units.Name)
}

// reclaimableFinding tells whether slab bytes can be told apart into reclaimable and not.
func reclaimableFinding(r *keys.SlabReport) finding {
	if r.AttributedUnreclaimableBytes == nil {
		return finding{Mend: mendReclaim, Found: "cannot tell reclaimable caches from others: /sys/kernel/slab/*/reclaim_account cannot be read"}
	}

	return finding{OK: true, Found: "SUnreclaim is attributed to caches, and what no cache holds is known"}
}

// unitsFinding tells whether the kernel counts its memory by unit.
func unitsFinding(r *keys.SlabReport) finding {
	switch {
	case r.Cgroups == nil:
		return finding{Less: true, Found: "this host counts no kernel memory by unit, as it has no memory controller"}
	case r.Cgroups.CgroupVersion == 1:
		return finding{OK: true, Found: "all kernel memory is counted by unit; what of it is slab, only cgroup version 2 tells"}
	}

	return finding{OK: true, Found: "it is counted"}
}
