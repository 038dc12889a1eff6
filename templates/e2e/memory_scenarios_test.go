package e2e

import "time"

const (
	memoryKey = "hosting.memory.get"
	slabKey   = "hosting.slab.get"
	oomKey    = "hosting.oom.get"
	ownersKey = "hosting.slab.owners"
	leaksKey  = "hosting.kmemleak.get"
	growing   = `, fastest growing cache: kmalloc-64$`
)

// victim is a process that the kernel killed, as the golden value has one.
func victim(name, constraint, cgroup string) []change {
	return []change{
		{oomKey, "kills", since{before: 0, after: 1}},
		{oomKey, "last_victim", map[string]any{"age_s": 20, "at": 946684800, "name": name, "constraint": constraint, "cgroup": cgroup, "rss_bytes": 50331648}},
	}
}

// struck is a unit that lost a process to the kernel.
func struck(result, state string) []any {
	return []any{map[string]any{
		"unit": "mariadb.service", "active_state_name": state, "result_name": result, "oom_kills": 1, "last_oom_at": 946684800, "last_oom_age_s": 20,
	}}
}

var memoryScenarios = map[string]scenario{
	"a process holds 412 MB of slab memory": {
		trigger: "A process leaks kernel memory",
		bad:     []change{{ownersKey, "age_s", 60}},
		event:   `^: php-fpm8\.2 holds 412 MiB more in cache sock_inode_cache, allocated by sock_alloc_inode$`, opData: `^Holds: 412 MB$`, severity: average,
	},
	"allocations cannot be followed": {
		trigger: "Slab owners cannot be found",
		bad:     []change{{ownersKey, "state", 5}, {ownersKey, "sentence", "cannot follow allocations: operation not permitted"}},
		event:   `: cannot follow allocations: operation not permitted$`, opData: `cannot follow allocations: operation not permitted$`, severity: info, ill: 20 * time.Minute,
	},
	"kmemleak finds leaks": {
		trigger: "Kernel leaks memory",
		good:    []change{{leaksKey, "objects", since{before: 0, after: 130}}},
		event:   `^ \(more objects in the last 1h\): leak_one`, opData: `^Objects: 130$`, severity: warning,
		step: 10 * time.Minute, ill: 30 * time.Minute, after: wellAfter,
	},
	"systemd starts the agent again": {
		trigger: "Agent was started again by systemd",
		good:    []change{{oomKey, "agent_unit.restarts", since{before: 3, after: 4}}, {oomKey, "agent_unit.oom_kills", since{before: 0, after: 1}}},
		event:   `^ \(in the last 1h; OOM kills in it: 1\)$`, opData: `^Restarts: 4$`, severity: warning,
		step: 5 * time.Minute, after: wellAfter,
	},
	"the kernel log cannot be read": {
		trigger: "OOM victims cannot be named",
		bad:     []change{{oomKey, "victims_known", false}},
		event:   `^$`, opData: `^$`, severity: info, ill: 20 * time.Minute,
	},
	"values of the OOM killer do not come": {
		trigger: "No data about OOM kills", clock: silence, macros: map[string]string{"{$KMEM.NODATA.CHECK}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning, silent: oomKey,
	},
	"values of slab caches do not come": {
		trigger: "No data about slab caches", clock: silence, macros: map[string]string{"{$KMEM.NODATA.CHECK}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning, silent: slabKey,
	},
	"values of kernel memory do not come": {
		trigger: "No data about kernel memory", clock: silence, macros: map[string]string{"{$KMEM.NODATA.MEMORY}": silentFor},
		event: `^ \(for ` + silentFor + `\)$`, opData: `^$`, severity: warning,
	},
	"unreclaimable slab memory takes 30 % of RAM": {
		trigger: "SUnreclaim is very high",
		bad:     []change{{memoryKey, "sunreclaim_pct", 30}},
		event:   `^ \(over 25% of RAM for 5m\)` + growing, opData: `^SUnreclaim: 30 % of RAM$`, severity: high,
	},
	"unreclaimable slab memory takes 12 % of RAM": {
		trigger: "SUnreclaim is high",
		bad:     []change{{memoryKey, "sunreclaim_pct", 12.5}},
		event:   `^ \(over 10% of RAM for 5m\)` + growing, opData: `^SUnreclaim: 12\.5 % of RAM$`, severity: warning,
		// A leap is growth, too, where there are values enough to tell.
		well: 10 * time.Minute,
	},
	"a limit is the host's own": {
		trigger: "SUnreclaim is high", macros: map[string]string{"{$KMEM.SUNRECLAIM.PCT.MAX.WARN}": "3"},
		bad:   []change{{memoryKey, "sunreclaim_pct", 4}},
		event: `^ \(over 3% of RAM for 5m\)` + growing, opData: `^SUnreclaim: 4 % of RAM$`, severity: warning,
	},
	"unreclaimable slab memory grows by 1.2 % of RAM an hour": {
		trigger: "SUnreclaim grows towards its limit",
		good:    []change{{memoryKey, "sunreclaim_pct", line{from: 2, ill: 0.02}}},
		event:   `^ \(reaches 25% of RAM in less than 1d\)` + growing, opData: `^SUnreclaim: \d\.?\d* % of RAM$`, severity: average,
		step: 2 * time.Minute, well: time.Hour, ill: 6 * time.Hour, after: 3 * time.Hour,
	},
	"memory is in no counter of the kernel": {
		trigger: "Memory that no counter explains is high",
		bad:     []change{{memoryKey, "unexplained_pct", 12.5}},
		event:   `^ \(over 10% of RAM for 15m\)$`, opData: `^Unexplained: 12\.5 % of RAM$`, severity: warning, ill: 20 * time.Minute,
	},
	"systemd does not answer": {
		trigger: "Systemd cannot be asked about units",
		bad:     []change{{oomKey, "units_error", "cannot ask systemd: connection refused"}},
		event:   `^ \(for 15m\): cannot ask systemd: connection refused$`, opData: `^$`, severity: info, ill: 20 * time.Minute,
	},
	"the kernel kills a part of a unit, which goes on": {
		trigger: "OOM killer hit a service that matters",
		bad:     []change{{oomKey, "units", struck("success", "active")}},
		event:   `^: mariadb\.service \(1 killed, now active\) \(in the last 1h\)$`, opData: `^Units: mariadb\.service \(1 killed, now active\)$`, severity: high,
	},
	"the kernel kills a unit": {
		trigger: "Unit was stopped by the OOM killer",
		bad:     []change{{oomKey, "units", struck("oom-kill", "failed")}, {oomKey, "units_oom_killed", 1}},
		event:   `^: mariadb\.service$`, opData: `^Units: mariadb\.service$`, severity: high,
	},
	"a cache takes 5 GB": {
		trigger: "Cache filp is large",
		bad:     []change{{slabKey, "watched.filp.size_bytes", 5 << 30}},
		event:   `^ \(over 4G for 15m\)$`, opData: `^Size: 5 GB$`, severity: warning, ill: 20 * time.Minute,
	},
	"the host runs out of memory": {
		trigger: "Host ran out of memory, process killed",
		// A customer reached a limit since.
		bad: []change{{oomKey, "victims", []any{
			map[string]any{"age_s": 5, "at": 946684815, "name": "php-fpm8.2", "constraint": "cgroup", "cgroup": "/user.slice/user-1012.slice"},
			map[string]any{"age_s": 20, "at": 946684800, "name": "mariadbd", "constraint": "global", "cgroup": "/system.slice/mariadb.service"},
			map[string]any{"age_s": 30, "at": 946684790, "name": "php-fpm8.2", "constraint": "global"},
		}}},
		event: `^: mariadbd in /system\.slice/mariadb\.service \(in the last 1h\)$`, opData: `^Newest: mariadbd in /system\.slice/mariadb\.service$`, severity: high,
	},
	"a customer's limit is reached": {
		trigger: "OOM killer killed a process",
		good:    victim("php-fpm8.2", "cgroup", "/user.slice/user-1012.slice"),
		event:   `^: php-fpm8\.2 in /user\.slice/user-1012\.slice \(over 0 in the last 1h\)$`, opData: `^Kills since boot: 1$`, severity: average,
		step: 5 * time.Minute, after: wellAfter,
	},
	"memory of the kernel is in no cache": {
		trigger: "Unattributed kernel memory is high",
		bad:     []change{{slabKey, "unattributed_bytes", 2 << 30}},
		event:   `^ \(over 5% of RAM for 15m\)$`, opData: `^Unattributed: 2 GB$`, severity: warning, ill: 20 * time.Minute,
	},
}
