package slabowner

import (
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

func program(name string, parts ...asm.Instructions) *ebpf.ProgramSpec {
	return &ebpf.ProgramSpec{Name: name, Type: ebpf.RawTracepoint, License: "GPL", Instructions: append(slices.Concat(parts...), end("out")...)}
}

func end(label string) asm.Instructions {
	return asm.Instructions{asm.Mov.Imm(asm.R0, 0).WithSymbol(label), asm.Return()}
}

// often is a program that counts each event and looks at few, which quick decides: it leads to "looked at", or to "count". What is done with those is
// a function of its own, so that the others save no register and need next to no stack.
func (a assembler) often(name string, quick asm.Instructions, rest ...asm.Instructions) *ebpf.ProgramSpec {
	const function = "look"

	return program(name, quick,
		asm.Instructions{bpf.Call(function).WithSymbol("looked at")},
		marked("count", a.findCounters("end")), increment(asm.R0, cEvents), end("end"),
		asm.Instructions{asm.Mov.Reg(rContext, asm.R1).WithSymbol(function)}, a.findCounters("out"),
		asm.Instructions{asm.Mov.Reg(rCounts, asm.R0), argument(rPointer, argPointer), asm.JEq.Imm(rPointer, 0, "out")},
		slices.Concat(rest...))
}

func argument(to asm.Register, position int) asm.Instruction {
	return argumentIn(rContext, to, position)
}

func argumentIn(context, to asm.Register, position int) asm.Instruction {
	return asm.LoadMem(to, context, int16((position-1)*wordSize), asm.DWord)
}

// functionArgument reads an argument of a function to a place on the stack; on 6.1 pointers to pointers cannot be loaded from the context.
func functionArgument(position int32, to int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, rContext),
		asm.Mov.Imm(asm.R2, position),
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, to),
		asm.FnGetFuncArg.Call(),
		asm.JNE.Imm(asm.R0, 0, "out"),
	}
}

// findCounters has R0 point to the counters of this processor, in which no other writes.
func (a assembler) findCounters(otherwise string) asm.Instructions {
	return asm.Instructions{
		asm.StoreImm(asm.RFP, fpIndex, 0, asm.Word),
		asm.LoadMapPtr(asm.R1, a.maps.counters.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, fpIndex),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, otherwise),
	}
}

func increment(counters asm.Register, counter int16) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, counters, counter, asm.DWord),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(counters, counter, asm.R1, asm.DWord),
	}
}

// hashed puts the hash of an address into R3, and changes R4 alone besides.
func hashed(pointer asm.Register) asm.Instructions {
	factor := uint64(hashFactor)

	return asm.Instructions{
		asm.Mov.Reg(asm.R3, pointer),
		asm.RSh.Imm(asm.R3, hashShift),
		asm.LoadImm(asm.R4, int64(factor), asm.DWord),
		asm.Mul.Reg(asm.R3, asm.R4),
		asm.RSh.Imm(asm.R3, 32),
	}
}

// sampled goes to a label where an address is not among those that are followed. It leaves the context in R1.
func (a assembler) sampled(pointer asm.Register, otherwise string) asm.Instructions {
	return append(hashed(pointer),
		asm.LoadMapValue(asm.R4, a.maps.settings.FD(), 0),
		asm.LoadMem(asm.R4, asm.R4, 0, asm.Word),
		asm.JGT.Reg(asm.R3, asm.R4, otherwise),
	)
}

// sampledArgument has an event only be counted whose address is not among those that are followed.
func (a assembler) sampledArgument() asm.Instructions {
	return append(asm.Instructions{argumentIn(asm.R1, asm.R2, argPointer)}, a.sampled(asm.R2, "count")...)
}

// forget removes an address, and goes to a label where it was not followed.
func (a assembler) forget(otherwise string) asm.Instructions {
	return asm.Instructions{
		asm.StoreMem(asm.RFP, fpKey, rPointer, asm.DWord),
		asm.LoadMapPtr(asm.R1, a.maps.live.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, fpKey),
		asm.FnMapDeleteElem.Call(),
		asm.JNE.Imm(asm.R0, 0, otherwise),
	}
}

func marked(label string, part asm.Instructions) asm.Instructions {
	part[0] = part[0].WithSymbol(label)

	return part
}
