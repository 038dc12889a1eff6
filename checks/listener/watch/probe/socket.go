package probe

import (
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// common fills what is known without the socket.
func (p *program) common(kind Kind, protocol int64) {
	p.Store(atSinceBoot, asm.DWord, asm.FnKtimeGetBootNs)
	p.Store(atCgroup, asm.DWord, asm.FnGetCurrentCgroupId)
	p.Store(atUID, asm.Word, asm.FnGetCurrentUidGid)
	p.Add(
		asm.StoreImm(bpf.Record, atKind, int64(kind), asm.Half),
		asm.StoreImm(bpf.Record, atProtocol, protocol, asm.Half),
		asm.StoreImm(bpf.Record, atSyscall, 0, asm.Word),
		asm.StoreImm(bpf.Record, atReusePort, 0, asm.Word),
		asm.StoreImm(bpf.Record, atArgsLength, 0, asm.Word),
	)
}

func (p *program) tcp(kind Kind) {
	p.ofSocket(kind, protocolTCP)
	// The other copy of the port is 0 at the closing of a socket whose port the kernel chose.
	p.Probe(bpf.Record, atPort, 2, socket, p.layout.port)
}

// systemCall puts down in which system call the process is.
func (p *program) systemCall() {
	p.Add(
		asm.FnGetCurrentTaskBtf.Call(),
		asm.Mov.Reg(asm.R1, asm.R0),
		asm.FnTaskPtRegs.Call(),
		asm.Mov.Reg(bpf.Pointer, asm.R0),
	)
	p.Probe(bpf.Record, atSyscall, 4, bpf.Pointer, p.layout.syscall)
}

// ofSocket fills what is known of each socket that can be read, except for its port.
func (p *program) ofSocket(kind Kind, protocol int64) {
	p.common(kind, protocol)
	p.cookie(socket, bpf.Record, atCookie)

	for _, f := range []struct {
		at, size int32
		field    bpf.Field
	}{
		{atFamily, 2, p.layout.family},
		{atDevice, 4, p.layout.device},
		{atReusePort, 1, p.layout.reusePort},
		{atV6Only, 1, p.layout.v6Only},
		{atAddress, 16, p.layout.address6},
	} {
		p.Probe(bpf.Record, f.at, f.size, socket, f.field)
	}

	p.Follow(socket, p.layout.network)
	p.namespace()

	v6 := "v6 " + kind.String()
	p.Add(
		asm.LoadMem(asm.R1, bpf.Record, atFamily, asm.Half),
		asm.JEq.Imm(asm.R1, familyV6, v6),
	)
	p.Probe(bpf.Record, atAddress, 4, socket, p.layout.address4)
	p.Label(v6)
}

// cookie puts the number of a socket to the place to + at.
func (p *program) cookie(of, to asm.Register, at int16) {
	p.Add(
		asm.Mov.Reg(asm.R1, of),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(to, at, asm.R0, asm.DWord),
	)
}

// namespace puts down the number of the network namespace that is pointed to.
func (p *program) namespace() {
	p.Probe(bpf.Record, atNamespace, 4, bpf.Pointer, bpf.Field{Offset: p.layout.namespace.Offset + p.layout.namespaceNumber.Offset})
}
