package oom

import (
	"bytes"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// parseKills finds the OOM kills since boot in /proc/vmstat (proc_vmstat(5)); nil on kernels before 4.13.
func parseKills(data []byte) *uint64 {
	for line := range bytes.Lines(data) {
		digits, found := bytes.CutPrefix(line, []byte("oom_kill "))
		if !found {
			continue
		}

		if kills, ok := procfile.Uint(bytes.TrimSpace(digits)); ok {
			return &kills
		}
	}

	return nil
}
