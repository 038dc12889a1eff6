package bpf

import "github.com/cilium/ebpf/asm"

// Registers that the helpers of the kernel leave alone. R7 is the program's own.
const (
	Context = asm.R6
	Record  = asm.R8
	Pointer = asm.R9
)

// Places on a program's stack.
const (
	OnStack    = -8
	KeyOnStack = -16
)

// Call calls a function of the same program, by the name of its first instruction.
func Call(function string) asm.Instruction {
	return asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoCall, Constant: -1}.WithReference(function)
}

// Program is written as the kernel's instructions, so that neither building nor running it needs a compiler of C. It puts records into a ring, and
// counts those that find no room.
type Program struct {
	asm.Instructions
	Ring Ring
	// next is the name of the instruction that comes next.
	next string
}

// Add adds instructions.
func (p *Program) Add(more ...asm.Instruction) {
	if p.next != "" {
		more[0] = more[0].WithSymbol(p.next)
		p.next = ""
	}

	p.Instructions = append(p.Instructions, more...)
}

// Label gives the next instruction a name, to which others jump.
func (p *Program) Label(name string) { p.next = name }

// Reserve has the record be room in the ring, or goes where its loss is counted.
func (p *Program) Reserve(size int32) {
	p.Add(
		asm.LoadMapPtr(asm.R1, p.Ring.records.FD()),
		asm.Mov.Imm(asm.R2, size),
		asm.Mov.Imm(asm.R3, 0),
		asm.FnRingbufReserve.Call(),
		asm.JEq.Imm(asm.R0, 0, "lost"),
		asm.Mov.Reg(Record, asm.R0),
	)
}

// Submit has the record be read, and goes out.
func (p *Program) Submit() {
	p.Add(
		asm.Mov.Reg(asm.R1, Record),
		asm.Mov.Imm(asm.R2, 0),
		asm.FnRingbufSubmit.Call(),
		asm.Ja.Label("out"),
	)
}

// End counts what found no room, and returns the value that lets the kernel go on.
func (p *Program) End(value int32) {
	p.Add(
		asm.StoreImm(asm.RFP, KeyOnStack, 0, asm.Word).WithSymbol("lost"),
		asm.LoadMapPtr(asm.R1, p.Ring.lost.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, KeyOnStack),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, 0),
		asm.Mov.Imm(asm.R0, value).WithSymbol("out"),
		asm.Return(),
	)
}

// Probe reads size bytes of the kernel's memory, from + f, to the place to + at. Where there is nothing to be read it
// puts zeros there, so a chain of pointers needs no look at each.
func (p *Program) Probe(to asm.Register, at, size int32, from asm.Register, f Field) {
	p.Add(
		asm.Mov.Reg(asm.R1, to), asm.Add.Imm(asm.R1, at),
		asm.Mov.Imm(asm.R2, size),
		asm.Mov.Reg(asm.R3, from), asm.Add.Imm(asm.R3, f.Offset),
		asm.FnProbeReadKernel.Call(),
	)
}

// Follow has the pointer be what the field at it points to.
func (p *Program) Follow(from asm.Register, f Field) {
	p.Probe(asm.RFP, OnStack, 8, from, f)
	p.Add(asm.LoadMem(Pointer, asm.RFP, OnStack, asm.DWord))
}

// Store calls a helper without arguments and puts what it returns into the record.
func (p *Program) Store(at int16, size asm.Size, helper asm.BuiltinFunc) {
	p.Add(helper.Call(), asm.StoreMem(Record, at, asm.R0, size))
}
