package slabunit

import (
	"bytes"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// takeStat reads memory.stat of version 2 (Documentation/admin-guide/cgroup-v2.rst): a name and a number of bytes on each line.
func (u *Unit) takeStat(data []byte) {
	for line := range bytes.Lines(data) {
		name, digits, found := bytes.Cut(bytes.TrimSpace(line), []byte(" "))

		bytes, ok := procfile.Uint(digits)
		if !found || !ok {
			continue
		}

		switch string(name) {
		case "slab_unreclaimable":
			u.UnreclaimableBytes = &bytes
		case "slab_reclaimable":
			u.ReclaimableBytes = &bytes
		case "kernel":
			u.KernelBytes = &bytes
		}
	}
}

// takeKernelBytes reads memory.kmem.usage_in_bytes of version 1 (Documentation/admin-guide/cgroup-v1/memory.rst).
func (u *Unit) takeKernelBytes(data []byte) {
	if bytes, ok := procfile.Uint(bytes.TrimSpace(data)); ok {
		u.KernelBytes = &bytes
	}
}
