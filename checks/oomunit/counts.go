package oomunit

import (
	"bytes"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// counts are what the kernel counts for one cgroup.
type counts struct {
	kills uint64
	// limits and groupKills are nil where the kernel does not count them.
	limits, groupKills *uint64
}

// parseCounts reads memory.events of version 2 (Documentation/admin-guide/cgroup-v2.rst) and memory.oom_control of version 1
// (Documentation/admin-guide/cgroup-v1/memory.rst), which has no other of these lines. Known is false where there is no count of kills: before 4.13.
func parseCounts(data []byte) (c counts, known bool) {
	for line := range bytes.Lines(data) {
		name, digits, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))

		value, ok := procfile.Uint(digits)
		if !ok {
			continue
		}

		switch string(name) {
		case "oom_kill":
			c.kills, known = value, true
		case "oom":
			c.limits = &value
		case "oom_group_kill":
			c.groupKills = &value
		}
	}

	return c, known
}
