package probe

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// layout is where the running kernel keeps what a record tells, by its own description of its types (BTF).
type layout struct {
	family, address4, address6, network, device bpf.Field
	reusePort, v6Only                           bpf.Field
	protocol, port, number                      bpf.Field
	namespace, namespaceNumber                  bpf.Field
	leader, parent, pid, start, name            bpf.Field
	memory, argsStart, argsEnd, environmentEnd  bpf.Field
	namespaces, ownNetwork                      bpf.Field
	syscall                                     bpf.Field
}

// wanted is a member and the size that the program reads.
type wanted struct {
	in, name string
	size     int
	to       *bpf.Field
}

func (l *layout) wanted() []wanted {
	return []wanted{
		{"sock_common", "skc_family", 2, &l.family},
		{"sock_common", "skc_rcv_saddr", 4, &l.address4},
		{"sock_common", "skc_v6_rcv_saddr", 16, &l.address6},
		{"sock_common", "skc_net", 8, &l.network},
		{"sock_common", "skc_bound_dev_if", 4, &l.device},
		{"sock_common", "skc_reuseport", 0, &l.reusePort},
		{"sock_common", "skc_ipv6only", 0, &l.v6Only},
		{"sock_common", "skc_num", 2, &l.number},
		{"sock", "sk_protocol", 2, &l.protocol},
		{"inet_sock", "inet_sport", 2, &l.port},
		{"net", "ns", bpf.AnySize, &l.namespace},
		{"ns_common", "inum", 4, &l.namespaceNumber},
		{"task_struct", "group_leader", 8, &l.leader},
		{"task_struct", "real_parent", 8, &l.parent},
		{"task_struct", "tgid", 4, &l.pid},
		{"task_struct", "start_boottime", 8, &l.start},
		{"task_struct", "comm", nameSize, &l.name},
		{"task_struct", "mm", 8, &l.memory},
		{"task_struct", "nsproxy", 8, &l.namespaces},
		{"nsproxy", "net_ns", 8, &l.ownNetwork},
		{"mm_struct", "arg_start", 8, &l.argsStart},
		{"mm_struct", "arg_end", 8, &l.argsEnd},
		{"mm_struct", "env_end", 8, &l.environmentEnd},
		{"pt_regs", syscallRegister, bpf.AnySize, &l.syscall},
	}
}

// readLayout asks the kernel that runs.
func readLayout() (*layout, error) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("cannot learn where the kernel keeps its sockets: %w; use one with CONFIG_DEBUG_INFO_BTF", err)
	}

	var l layout

	for _, w := range l.wanted() {
		if *w.to, err = bpf.Find(kernel, w.in, w.name, w.size); err != nil {
			return nil, fmt.Errorf("cannot learn where the kernel keeps its sockets: %w; use Linux 5.15 or newer", err)
		}
	}

	return &l, nil
}

// The states of a TCP socket (net/tcp_states.h).
const (
	stateClose  = 7
	stateListen = 10
)

// The sizes of what a record holds, in bytes.
const (
	nameSize    = 16
	argsSize    = 256
	programSize = 128
	// taskCount is the process itself and four generations above it.
	taskCount = 5
)

const (
	protocolTCP = unix.IPPROTO_TCP
	protocolUDP = unix.IPPROTO_UDP
	familyV4    = unix.AF_INET
	familyV6    = unix.AF_INET6
)
