package probe

import "github.com/cilium/ebpf/asm"

// common fills what is known without the socket.
func (p *program) common(kind Kind, protocol int64) {
	p.store(atSinceBoot, asm.DWord, asm.FnKtimeGetBootNs)
	p.store(atCgroup, asm.DWord, asm.FnGetCurrentCgroupId)
	p.store(atUID, asm.Word, asm.FnGetCurrentUidGid)
	p.add(
		asm.StoreImm(record, atKind, int64(kind), asm.Half),
		asm.StoreImm(record, atProtocol, protocol, asm.Half),
		asm.StoreImm(record, atSyscall, 0, asm.Word),
		asm.StoreImm(record, atReusePort, 0, asm.Word),
		asm.StoreImm(record, atArgsLength, 0, asm.Word),
	)
}

func (p *program) tcp(kind Kind) {
	p.ofSocket(kind, protocolTCP)
	// The other copy of the port is 0 at the closing of a socket whose port the kernel chose.
	p.probe(record, atPort, 2, socket, p.layout.port)
}

// systemCall puts down in which system call the process is.
func (p *program) systemCall() {
	p.add(
		asm.FnGetCurrentTaskBtf.Call(),
		asm.Mov.Reg(asm.R1, asm.R0),
		asm.FnTaskPtRegs.Call(),
		asm.Mov.Reg(pointer, asm.R0),
	)
	p.probe(record, atSyscall, 4, pointer, p.layout.syscall)
}

// ofSocket fills what is known of each socket that can be read, except for its port.
func (p *program) ofSocket(kind Kind, protocol int64) {
	p.common(kind, protocol)
	p.cookie(socket, record, atCookie)

	for _, f := range []struct {
		at, size int32
		field    field
	}{
		{atFamily, 2, p.layout.family},
		{atDevice, 4, p.layout.device},
		{atReusePort, 1, p.layout.reusePort},
		{atV6Only, 1, p.layout.v6Only},
		{atAddress, 16, p.layout.address6},
	} {
		p.probe(record, f.at, f.size, socket, f.field)
	}

	p.follow(socket, p.layout.network)
	p.namespace()

	v6 := "v6 " + kind.String()
	p.add(
		asm.LoadMem(asm.R1, record, atFamily, asm.Half),
		asm.JEq.Imm(asm.R1, familyV6, v6),
	)
	p.probe(record, atAddress, 4, socket, p.layout.address4)
	p.label(v6)
}

// cookie puts the number of a socket to the place to + at.
func (p *program) cookie(of, to asm.Register, at int16) {
	p.add(
		asm.Mov.Reg(asm.R1, of),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(to, at, asm.R0, asm.DWord),
	)
}

// namespace puts down the number of the network namespace that is pointed to.
func (p *program) namespace() {
	p.probe(record, atNamespace, 4, pointer, field{offset: p.layout.namespace.offset + p.layout.namespaceNumber.offset})
}
