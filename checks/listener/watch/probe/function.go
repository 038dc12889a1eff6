package probe

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// The functions of the kernel where a UDP socket is given its port, and where it loses it (net/udp.h).
const (
	givesPort4 = "udp_v4_get_port"
	givesPort6 = "udp_v6_get_port"
	takesPort  = "udp_lib_unhash"
)

// functions all take the socket first; what follows is how many arguments they have, and whether they return a number.
var functions = []struct {
	name      string
	arguments int
	returns   bool
}{{givesPort4, 2, true}, {givesPort6, 2, true}, {takesPort, 1, false}}

// checkFunctions asks the kernel that runs whether they are what the programs take them for.
func checkFunctions() error {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return err
	}

	for _, f := range functions {
		var found *btf.Func
		if err := kernel.TypeByName(f.name, &found); err != nil {
			return fmt.Errorf("function %s: %w", f.name, err)
		}

		signature, ok := found.Type.(*btf.FuncProto)
		if !ok || len(signature.Params) != f.arguments || !isSocket(signature.Params[0].Type) || isNumber(signature.Return) != f.returns {
			return fmt.Errorf("function %s has another signature than the kernels that are known: %v", f.name, found.Type)
		}
	}

	return nil
}

func isSocket(t btf.Type) bool {
	to, ok := btf.UnderlyingType(t).(*btf.Pointer)
	if !ok {
		return false
	}

	of, ok := btf.UnderlyingType(to.Target).(*btf.Struct)

	return ok && of.Name == "sock"
}

func isNumber(t btf.Type) bool {
	_, ok := btf.UnderlyingType(t).(*btf.Int)

	return ok
}

// given is run when a UDP socket was to be given a port, by bind(2) or without it.
func (p *program) given() asm.Instructions {
	// Behind the two arguments is what the function returns; of an int the upper half of the register may be anything.
	const returned = 2 * 8

	p.Add(
		asm.Mov.Reg(bpf.Context, asm.R1),
		asm.LoadMem(asm.R1, bpf.Context, returned, asm.DWord),
		asm.JNE.Imm32(asm.R1, 0, "out"),
	)
	p.udpPort()
	p.Reserve(openedSize)
	p.datagram(Opened)
	p.opener()
	p.Submit()
	p.End(0)

	return p.Instructions
}

// taken is run before a socket loses its port.
func (p *program) taken() asm.Instructions {
	p.Add(asm.Mov.Reg(bpf.Context, asm.R1))
	p.udpPort()
	p.Reserve(closedSize)
	p.datagram(Closed)
	p.Submit()
	p.End(0)

	return p.Instructions
}

// udpPort takes the socket from the context, and puts its port on the stack. It leaves those alone whose port is not of
// interest, and UDP-Lite, which has ports of its own.
func (p *program) udpPort() {
	p.Add(asm.LoadMem(socket, bpf.Context, 0, asm.DWord))
	// The copy in the order of the network is written later.
	p.Probe(asm.RFP, bpf.OnStack, 2, socket, p.layout.number)
	p.Add(
		asm.LoadMem(asm.R1, asm.RFP, bpf.OnStack, asm.Half),
		asm.StoreMem(asm.RFP, bpf.KeyOnStack, asm.R1, asm.Word),
	)
	p.lookUp(p.udp.ports)
	p.only(protocolUDP)
}

// datagram fills what the socket tells, and the port from the stack.
func (p *program) datagram(kind Kind) {
	p.ofSocket(kind, protocolUDP)
	p.Add(
		asm.LoadMem(asm.R1, asm.RFP, bpf.KeyOnStack, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(bpf.Record, atPort, asm.R1, asm.Half),
	)
}
