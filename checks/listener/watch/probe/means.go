package probe

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// Means is a way to have the kernel tell of UDP sockets: no tracepoint does.
type Means struct {
	aim   bpf.Aim
	hooks func(*Probe) ([]hook, error)
}

// AtFunctions is called where a UDP socket is given its port and where it loses it, in all network namespaces. It needs no
// other rights than Open, but a kernel that runs programs at its functions (fentry).
func AtFunctions() Means {
	return Means{aim: udpFunctions, hooks: func(p *Probe) ([]hook, error) {
		if err := checkFunctions(); err != nil {
			return nil, err
		}

		return []hook{
			atFunction("listen_port4", ebpf.AttachTraceFExit, givesPort4, p.program().given()),
			atFunction("listen_port6", ebpf.AttachTraceFExit, givesPort6, p.program().given()),
			atFunction("listen_unhash", ebpf.AttachTraceFEntry, takesPort, p.program().taken()),
		}, nil
	}}
}

func atFunction(name string, at ebpf.AttachType, function string, program asm.Instructions) hook {
	return hook{
		spec:    &ebpf.ProgramSpec{Name: name, Type: ebpf.Tracing, AttachType: at, AttachTo: function, Instructions: program},
		connect: traced,
	}
}

// BelowCgroup is called at each bind(2) and at the end of each socket of the processes below a cgroup of version 2, which
// is the root of all. It fails with fs.ErrPermission without CAP_NET_ADMIN.
func BelowCgroup(path string) Means {
	return Means{aim: udpCgroup, hooks: func(p *Probe) (hooks []hook, err error) {
		// The oldest goes where there are too many, and its end is not told.
		p.udp.bound, err = ebpf.NewMap(&ebpf.MapSpec{Name: "listen_bound", Type: ebpf.LRUHash, KeySize: 8, ValueSize: 1, MaxEntries: maxBound})
		if err != nil {
			return nil, err
		}

		return []hook{
			below(path, "listen_bind4", ebpf.AttachCGroupInet4PostBind, p.program().binding(sockAddress4, 4)),
			below(path, "listen_bind6", ebpf.AttachCGroupInet6PostBind, p.program().binding(sockAddress6, 16)),
			below(path, "listen_release", ebpf.AttachCgroupInetSockRelease, p.program().releasing()),
		}, nil
	}}
}

func below(path, name string, at ebpf.AttachType, program asm.Instructions) hook {
	return hook{
		spec: &ebpf.ProgramSpec{Name: name, Type: ebpf.CGroupSock, AttachType: at, Instructions: program},
		connect: func(program *ebpf.Program) (link.Link, error) {
			return link.AttachCgroup(link.CgroupOptions{Path: path, Attach: at, Program: program})
		},
	}
}
