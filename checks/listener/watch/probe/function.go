package probe

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
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

	p.add(
		asm.Mov.Reg(ctx, asm.R1),
		asm.LoadMem(asm.R1, ctx, returned, asm.DWord),
		asm.JNE.Imm32(asm.R1, 0, "out"),
	)
	p.udpPort()
	p.reserve(openedSize)
	p.datagram(Opened)
	p.opener()
	p.submit()
	p.end(0)

	return p.Instructions
}

// taken is run before a socket loses its port.
func (p *program) taken() asm.Instructions {
	p.add(asm.Mov.Reg(ctx, asm.R1))
	p.udpPort()
	p.reserve(closedSize)
	p.datagram(Closed)
	p.submit()
	p.end(0)

	return p.Instructions
}

// udpPort takes the socket from the context, and puts its port on the stack. It leaves those alone whose port is not of
// interest, and UDP-Lite, which has ports of its own.
func (p *program) udpPort() {
	p.add(asm.LoadMem(socket, ctx, 0, asm.DWord))
	// The copy in the order of the network is written later.
	p.probe(asm.RFP, onStack, 2, socket, p.layout.number)
	p.add(
		asm.LoadMem(asm.R1, asm.RFP, onStack, asm.Half),
		asm.StoreMem(asm.RFP, keyOnStack, asm.R1, asm.Word),
	)
	p.lookUp(p.udp.ports)
	p.only(protocolUDP)
}

// datagram fills what the socket tells, and the port from the stack.
func (p *program) datagram(kind Kind) {
	p.ofSocket(kind, protocolUDP)
	p.add(
		asm.LoadMem(asm.R1, asm.RFP, keyOnStack, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(record, atPort, asm.R1, asm.Half),
	)
}
