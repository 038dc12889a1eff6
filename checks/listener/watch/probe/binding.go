package probe

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
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
	p.Add(
		asm.LoadMem(asm.R1, bpf.Context, sockPort, asm.Word),
		asm.StoreMem(asm.RFP, bpf.KeyOnStack, asm.R1, asm.Word),
	)
	p.lookUp(p.udp.ports)
	p.cookie(bpf.Context, asm.RFP, bpf.KeyOnStack)
	p.Add(
		asm.StoreImm(asm.RFP, bpf.OnStack, 1, asm.Word),
		asm.LoadMapPtr(asm.R1, p.udp.bound.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, bpf.KeyOnStack),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, bpf.OnStack),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
	)
	p.Reserve(openedSize)
	p.udpSocket(Opened)
	p.ownNamespace()
	p.Add(
		asm.LoadMem(asm.R1, bpf.Context, sockFamily, asm.Word),
		asm.StoreMem(bpf.Record, atFamily, asm.R1, asm.Half),
		asm.LoadMem(asm.R1, bpf.Context, sockPort, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(bpf.Record, atPort, asm.R1, asm.Half),
	)

	for word := int16(0); word < int16(size); word += 4 {
		p.Add(
			asm.LoadMem(asm.R1, bpf.Context, address+word, asm.Word),
			asm.StoreMem(bpf.Record, atAddress+word, asm.R1, asm.Word),
		)
	}

	p.opener()
	p.Submit()
	p.End(allow)

	return p.Instructions
}

// releasing is run at the end of each socket.
func (p *program) releasing() asm.Instructions {
	p.onlyUDP()
	p.cookie(bpf.Context, asm.RFP, bpf.KeyOnStack)
	p.lookUp(p.udp.bound)
	p.Add(
		asm.LoadMapPtr(asm.R1, p.udp.bound.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, bpf.KeyOnStack),
		asm.FnMapDeleteElem.Call(),
	)
	p.Reserve(closedSize)
	p.udpSocket(Closed)
	p.Submit()
	p.End(allow)

	return p.Instructions
}

func (p *program) onlyUDP() {
	p.Add(
		asm.Mov.Reg(bpf.Context, asm.R1),
		asm.LoadMem(asm.R1, bpf.Context, sockProtocol, asm.Word),
		asm.JNE.Imm(asm.R1, protocolUDP, "out"),
	)
}

// lookUp goes out where the map has not the key on the stack.
func (p *program) lookUp(in *ebpf.Map) {
	p.Add(
		asm.LoadMapPtr(asm.R1, in.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, bpf.KeyOnStack),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
	)
}

// udpSocket fills what is known of each. The kernel tells no device, and of a closing nothing but which socket it is.
func (p *program) udpSocket(kind Kind) {
	p.common(kind, protocolUDP)
	p.cookie(bpf.Context, bpf.Record, atCookie)
	p.Add(
		asm.StoreImm(bpf.Record, atHidden, 1, asm.Byte),
		asm.StoreImm(bpf.Record, atFamily, familyV4, asm.Half),
		asm.StoreImm(bpf.Record, atPort, 0, asm.Half),
		asm.StoreImm(bpf.Record, atDevice, 0, asm.Word),
		asm.StoreImm(bpf.Record, atNamespace, 0, asm.Word),
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(bpf.Record, atAddress, asm.R1, asm.DWord),
		asm.StoreMem(bpf.Record, atAddress+8, asm.R1, asm.DWord),
	)
}

// ownNamespace puts down the network namespace of the process, in which it bound the socket.
func (p *program) ownNamespace() {
	p.Add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(bpf.Pointer, asm.R0))
	p.Follow(bpf.Pointer, p.layout.namespaces)
	p.Follow(bpf.Pointer, p.layout.ownNetwork)
	p.namespace()
}
