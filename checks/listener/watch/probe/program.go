package probe

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Registers that the helpers of the kernel leave alone.
const (
	ctx     = asm.R6
	socket  = asm.R7
	record  = asm.R8
	pointer = asm.R9
)

// Places on the program's stack.
const (
	onStack    = -8
	keyOnStack = -16
)

// program is written as the kernel's instructions, so that neither building nor running it needs a compiler of C.
type program struct {
	asm.Instructions
	layout *layout
	ring   *ebpf.Map
	lost   *ebpf.Map
	udp    datagrams
	// next is the name of the instruction that comes next.
	next string
}

func (p *program) add(more ...asm.Instruction) {
	if p.next != "" {
		more[0] = more[0].WithSymbol(p.next)
		p.next = ""
	}

	p.Instructions = append(p.Instructions, more...)
}

func (p *program) label(name string) { p.next = name }

// listening is run at each change of state of a TCP socket, for which it must be quick unless the socket begins or ceases
// to listen: what is done then is a function of its own, so that nothing is saved for the others. An accepted connection begins as a copy of its listener and leaves that state (LISTEN to SYN_RECV); a socket
// of MPTCP has a twin of TCP, and changes from LISTEN to LISTEN besides.
func (p *program) listening() asm.Instructions {
	const few = "begins or ceases"

	call := asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoCall, Constant: -1}

	p.add(
		asm.LoadMem(asm.R2, asm.R1, 8, asm.DWord),
		asm.LoadMem(asm.R3, asm.R1, 16, asm.DWord),
		asm.JEq.Imm(asm.R3, stateListen, "listener"),
		asm.JNE.Imm(asm.R3, stateClose, "other"),
		asm.JNE.Imm(asm.R2, stateListen, "other"),
		call.WithReference(few).WithSymbol("listener"),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("other"),
		asm.Return(),

		asm.Mov.Reg(ctx, asm.R1).WithSymbol(few),
		asm.LoadMem(asm.R1, ctx, 8, asm.DWord),
		asm.LoadMem(asm.R2, ctx, 16, asm.DWord),
		asm.JEq.Imm(asm.R1, stateListen, "was listening"),
		asm.JNE.Imm(asm.R1, stateClose, "out"),
	)
	p.tcpSocket()
	p.reserve(openedSize)
	p.tcp(Opened)
	p.opener()
	p.submit()

	p.label("was listening")
	p.add(asm.JNE.Imm(asm.R2, stateClose, "out"))
	p.tcpSocket()
	p.reserve(closedSize)
	p.tcp(Closed)
	p.submit()

	p.end(0)

	return p.Instructions
}

// tcpSocket takes the socket from the context and leaves all but TCP alone: SCTP and DCCP pass here as well.
func (p *program) tcpSocket() {
	p.add(asm.LoadMem(socket, ctx, 0, asm.DWord))
	p.probe(asm.RFP, onStack, 2, socket, p.layout.protocol)
	p.add(
		asm.LoadMem(asm.R1, asm.RFP, onStack, asm.Half),
		asm.JNE.Imm(asm.R1, protocolTCP, "out"),
	)
}

// reserve has the record be room in the ring, or goes where its loss is counted.
func (p *program) reserve(size int32) {
	p.add(
		asm.LoadMapPtr(asm.R1, p.ring.FD()),
		asm.Mov.Imm(asm.R2, size),
		asm.Mov.Imm(asm.R3, 0),
		asm.FnRingbufReserve.Call(),
		asm.JEq.Imm(asm.R0, 0, "lost"),
		asm.Mov.Reg(record, asm.R0),
	)
}

func (p *program) submit() {
	p.add(
		asm.Mov.Reg(asm.R1, record),
		asm.Mov.Imm(asm.R2, 0),
		asm.FnRingbufSubmit.Call(),
		asm.Ja.Label("out"),
	)
}

// end counts what found no room, and returns the value that lets the kernel go on.
func (p *program) end(value int32) {
	p.add(
		asm.StoreImm(asm.RFP, keyOnStack, 0, asm.Word).WithSymbol("lost"),
		asm.LoadMapPtr(asm.R1, p.lost.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, keyOnStack),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, 0),
		asm.Mov.Imm(asm.R0, value).WithSymbol("out"),
		asm.Return(),
	)
}

// probe reads size bytes of the kernel's memory, from + f, to the place to + at. Where there is nothing to be read it
// puts zeros there, so a chain of pointers needs no look at each.
func (p *program) probe(to asm.Register, at, size int32, from asm.Register, f field) {
	p.add(
		asm.Mov.Reg(asm.R1, to), asm.Add.Imm(asm.R1, at),
		asm.Mov.Imm(asm.R2, size),
		asm.Mov.Reg(asm.R3, from), asm.Add.Imm(asm.R3, f.offset),
		asm.FnProbeReadKernel.Call(),
	)
}

// follow has the pointer be what the field at it points to.
func (p *program) follow(from asm.Register, f field) {
	p.probe(asm.RFP, onStack, 8, from, f)
	p.add(asm.LoadMem(pointer, asm.RFP, onStack, asm.DWord))
}

// store calls a helper without arguments and puts what it returns into the record.
func (p *program) store(at int16, size asm.Size, helper asm.BuiltinFunc) {
	p.add(helper.Call(), asm.StoreMem(record, at, asm.R0, size))
}

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
	p.common(kind, protocolTCP)
	p.cookie(socket, record, atCookie)

	if kind == Closed {
		p.add(
			asm.FnGetCurrentTaskBtf.Call(),
			asm.Mov.Reg(asm.R1, asm.R0),
			asm.FnTaskPtRegs.Call(),
			asm.Mov.Reg(pointer, asm.R0),
		)
		p.probe(record, atSyscall, 4, pointer, p.layout.syscall)
	}

	for _, f := range []struct {
		at, size int32
		field    field
	}{
		{atFamily, 2, p.layout.family},
		// The other copy of the port is 0 at the closing of a socket whose port the kernel chose.
		{atPort, 2, p.layout.port},
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
