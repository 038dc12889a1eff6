package probe

import (
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// What is watched, and what mends it where that cannot be done.
var (
	sockets      = bpf.Traced("sockets")
	udpFunctions = bpf.Aim{
		What: "UDP sockets at the kernel's functions", Needed: sockets.Needed, Lacking: sockets.Lacking,
		Refused: kernelWithFunctions, Unsupported: kernelWithFunctions,
	}
	udpCgroup = bpf.Aim{
		What:        "UDP sockets below a cgroup",
		Needed:      append(bpf.Tracing(), bpf.Right{Number: unix.CAP_NET_ADMIN, Name: "CAP_NET_ADMIN"}),
		Lacking:     "run this as root with all its rights",
		Refused:     sockets.Refused,
		Unsupported: "use Linux 5.15 or newer, with cgroups of version 2",
	}
)

const kernelWithFunctions = "use a kernel that runs programs there (fentry), as Debian's do"
