package probe

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Where struct bpf_sock has what the programs for UDP are given (linux/bpf.h).
const (
	sockFamily   = 4
	sockProtocol = 12
	sockAddress4 = 24
	sockAddress6 = 28
	sockPort     = 44
)

// allow is what the kernel is answered: go on.
const allow = 1

// binding is run after each bind(2).
func (p *program) binding(address int16, size int32) asm.Instructions {
	p.onlyUDP()
	p.add(
		asm.LoadMem(asm.R1, ctx, sockPort, asm.Word),
		asm.StoreMem(asm.RFP, keyOnStack, asm.R1, asm.Word),
	)
	p.lookUp(p.udp.ports)
	p.cookie(ctx, asm.RFP, keyOnStack)
	p.add(
		asm.StoreImm(asm.RFP, onStack, 1, asm.Word),
		asm.LoadMapPtr(asm.R1, p.udp.bound.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyOnStack),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, onStack),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
	)
	p.reserve(openedSize)
	p.udpSocket(Opened)
	p.ownNamespace()
	p.add(
		asm.LoadMem(asm.R1, ctx, sockFamily, asm.Word),
		asm.StoreMem(record, atFamily, asm.R1, asm.Half),
		asm.LoadMem(asm.R1, ctx, sockPort, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(record, atPort, asm.R1, asm.Half),
	)

	for word := int16(0); word < int16(size); word += 4 {
		p.add(
			asm.LoadMem(asm.R1, ctx, address+word, asm.Word),
			asm.StoreMem(record, atAddress+word, asm.R1, asm.Word),
		)
	}

	p.opener()
	p.submit()
	p.end(allow)

	return p.Instructions
}

// releasing is run at the end of each socket.
func (p *program) releasing() asm.Instructions {
	p.onlyUDP()
	p.cookie(ctx, asm.RFP, keyOnStack)
	p.lookUp(p.udp.bound)
	p.add(
		asm.LoadMapPtr(asm.R1, p.udp.bound.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyOnStack),
		asm.FnMapDeleteElem.Call(),
	)
	p.reserve(closedSize)
	p.udpSocket(Closed)
	p.submit()
	p.end(allow)

	return p.Instructions
}

func (p *program) onlyUDP() {
	p.add(
		asm.Mov.Reg(ctx, asm.R1),
		asm.LoadMem(asm.R1, ctx, sockProtocol, asm.Word),
		asm.JNE.Imm(asm.R1, protocolUDP, "out"),
	)
}

// lookUp goes out where the map has not the key on the stack.
func (p *program) lookUp(in *ebpf.Map) {
	p.add(
		asm.LoadMapPtr(asm.R1, in.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyOnStack),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
	)
}

// udpSocket fills what is known of each. The kernel tells no device, and of a closing nothing but which socket it is.
func (p *program) udpSocket(kind Kind) {
	p.common(kind, protocolUDP)
	p.cookie(ctx, record, atCookie)
	p.add(
		asm.StoreImm(record, atHidden, 1, asm.Byte),
		asm.StoreImm(record, atFamily, familyV4, asm.Half),
		asm.StoreImm(record, atPort, 0, asm.Half),
		asm.StoreImm(record, atDevice, 0, asm.Word),
		asm.StoreImm(record, atNamespace, 0, asm.Word),
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(record, atAddress, asm.R1, asm.DWord),
		asm.StoreMem(record, atAddress+8, asm.R1, asm.DWord),
	)
}

// ownNamespace puts down the network namespace of the process, in which it bound the socket.
func (p *program) ownNamespace() {
	p.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(pointer, asm.R0))
	p.follow(pointer, p.layout.namespaces)
	p.follow(pointer, p.layout.ownNetwork)
	p.namespace()
}
