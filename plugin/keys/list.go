package keys

import (
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// What of the keys is for root.
var (
	needsSlabinfo = Permission{
		Needs: "reads /proc/slabinfo and /sys/kernel/slab/*/reclaim_account, mode 0400", Verb: helper.VerbSlabinfo, Without: "not supported",
	}
	needsKills = Permission{
		Needs: "is told of each kill by the kernel (CAP_BPF, CAP_PERFMON), and reads its log (CAP_SYSLOG where kernel.dmesg_restrict=1)",
		Verb:  helper.VerbOOM, Without: "the counts; victims from the log or the journal, where this user may read one",
	}
)

// All returns every item key, in the order of the documentation.
func All() []Key {
	return slices.Concat(pluginKeys(), siteKeys(), memoryKeys(), slabKeys(), oomKeys(), nginxKeys(), listenerKeys(), watchKeys())
}

// Metrics returns pairs of name and description, as an agent registers them.
func Metrics() []string {
	var pairs []string
	for _, k := range All() {
		pairs = append(pairs, k.Name, strings.TrimSuffix(k.Description, ".")+".")
	}

	return pairs
}

func pluginKeys() []Key {
	return []Key{{
		Name:        "hosting.plugin.get",
		Description: "State of the plugin itself: version, processes, what it served and whether each check works.",
		Result:      JSON,
		evaluate:    evaluatePlugin,
	}}
}

func siteKeys() []Key {
	return []Key{
		{
			Name:        "hosting.site.discovery",
			Description: "Discovery of the configured test sites.",
			Result:      LLD,
			Check:       CheckSite,
			evaluate:    evaluateSiteDiscovery,
		},
		{
			Name: "hosting.site.get",
			Parameters: []Parameter{{
				Name: "site", Description: "a name from the configuration", Required: true, Sample: "shop", Allowed: siteName,
			}},
			Description: "Counters of a test site by failure reason, its last result, latency quantiles and the last failures.",
			Result:      JSON,
			Check:       CheckSite,
			evaluate:    evaluateSite,
		},
		{
			Name: "hosting.site.probe",
			Parameters: []Parameter{
				{Name: "url", Description: "what to request", Required: true, Sample: "http://127.0.0.1/", Allowed: siteURL},
				{Name: "connect", Description: "where to connect instead", Allowed: hostPort},
				{Name: "timeout", Description: "for the whole request", Default: "10s", Allowed: probeTimeout},
				{Name: "pattern", Description: "what the page must contain", Allowed: pattern},
			},
			Description: "One request to a URL now, with the phases that it took and the reason if it failed.",
			Result:      JSON,
			evaluate:    evaluateSiteProbe,
		},
	}
}

func memoryKeys() []Key {
	return []Key{
		{
			Name:        "hosting.memory.get",
			Description: "Every kernel-side share of RAM and the part that no counter explains, from /proc/meminfo.",
			Result:      JSON,
			Check:       CheckMemory,
			evaluate:    evaluateMemory,
		},
		{
			Name: "hosting.memory.sunreclaim",
			Parameters: []Parameter{{
				Name: "mode", Description: "bytes, or percent of RAM", Default: modeBytes, Allowed: oneOf{modeBytes, modePused},
			}},
			Description: "Slab memory that the kernel cannot reclaim (SUnreclaim), in bytes or percent of RAM.",
			Result:      Number,
			Unit:        "B or %",
			Check:       CheckMemory,
			evaluate:    evaluateSunreclaim,
		},
	}
}

func slabKeys() []Key {
	count := Parameter{
		Name: "n", Description: "how many caches", Default: "10", Allowed: wholeNumber{min: 1, max: 1000},
	}
	order := Parameter{
		Name: "sort", Description: "which caches come first", Default: "size", Allowed: oneOf{"size", "growth", "objects"},
	}

	return []Key{
		{
			Name:        "hosting.slab.get",
			Parameters:  []Parameter{count, order},
			Description: "Slab totals, the part of SUnreclaim that no cache holds, and the top n caches with aliases and growth.",
			Result:      JSON,
			Check:       CheckSlab,
			Permission:  needsSlabinfo,
			evaluate:    evaluateSlab,
		},
		{
			Name:        "hosting.slab.top",
			Parameters:  []Parameter{count, order},
			Description: "The top n slab caches as a plain-text table.",
			Result:      Text,
			Check:       CheckSlab,
			Permission:  needsSlabinfo,
			evaluate:    evaluateSlabTop,
		},
		{
			Name:        "hosting.slab.discovery",
			Parameters:  []Parameter{count},
			Description: "Discovery of the n largest slab caches; a cache leaves only after a day outside the top 2n.",
			Result:      LLD,
			Check:       CheckSlab,
			Permission:  needsSlabinfo,
			evaluate:    evaluateSlabDiscovery,
		},
	}
}

func oomKeys() []Key {
	return []Key{{
		Name:        "hosting.oom.get",
		Description: "OOM kills since boot and by unit, the last victims with process, cgroup and memory, and how the units of nginx and the agent fare.",
		Result:      JSON,
		Check:       CheckOOM,
		Permission:  needsKills,
		evaluate:    evaluateOOM,
	}}
}
