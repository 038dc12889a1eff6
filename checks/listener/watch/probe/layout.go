package probe

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// layout is where the running kernel keeps what a record tells, by its own description of its types (BTF).
type layout struct {
	family, address4, address6, network, device field
	reusePort, v6Only                           field
	protocol, port, number                      field
	namespace, namespaceNumber                  field
	leader, parent, pid, start, name            field
	memory, argsStart, argsEnd, environmentEnd  field
	namespaces, ownNetwork                      field
	syscall                                     field
}

// field is a member of a struct: its place in bytes, and which bits of the byte are its own where it has not the whole.
type field struct {
	offset int32
	mask   byte
}

// wanted is a member and the size that the program reads; 0 stands for less than a byte.
type wanted struct {
	in, name string
	size     int
	to       *field
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
		{"net", "ns", anySize, &l.namespace},
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
		{"pt_regs", syscallRegister, anySize, &l.syscall},
	}
}

const anySize = -1

// readLayout asks the kernel that runs.
func readLayout() (*layout, error) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("cannot learn where the kernel keeps its sockets: %w; use one with CONFIG_DEBUG_INFO_BTF", err)
	}

	var l layout

	for _, w := range l.wanted() {
		if err := w.find(kernel); err != nil {
			return nil, fmt.Errorf("cannot learn where the kernel keeps its sockets: %w; use Linux 5.15 or newer", err)
		}
	}

	return &l, nil
}

func (w *wanted) find(kernel *btf.Spec) error {
	var in *btf.Struct
	if err := kernel.TypeByName(w.in, &in); err != nil {
		return fmt.Errorf("struct %s: %w", w.in, err)
	}

	base, found := memberOf(in.Members, w.name)
	if found == nil {
		return fmt.Errorf("struct %s has no %s", w.in, w.name)
	}

	bits := base + found.Offset

	if w.size == 0 {
		*w.to = field{offset: int32(bits / 8), mask: byte(1) << (bits % 8)}
		if found.BitfieldSize != 1 {
			return fmt.Errorf("%s of struct %s is not one bit", w.name, w.in)
		}

		return nil
	}

	*w.to = field{offset: int32(bits / 8)}

	size, err := btf.Sizeof(found.Type)
	if err != nil || found.BitfieldSize != 0 || w.size != anySize && size != w.size {
		return fmt.Errorf("%s of struct %s has not %d bytes", w.name, w.in, w.size)
	}

	return nil
}

// memberOf also looks into the members that have no name of their own. Base is where the struct begins that has it.
func memberOf(members []btf.Member, name string) (base btf.Bits, found *btf.Member) {
	for i, m := range members {
		if m.Name == name {
			return 0, &members[i]
		}

		if m.Name != "" {
			continue
		}

		var inner []btf.Member

		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}

		if deeper, found := memberOf(inner, name); found != nil {
			return m.Offset + deeper, found
		}
	}

	return 0, nil
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
