package slabowner

import (
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

func program(name string, parts ...asm.Instructions) *ebpf.ProgramSpec {
	parts = append(parts, asm.Instructions{asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return()})

	return &ebpf.ProgramSpec{Name: name, Type: ebpf.RawTracepoint, License: "GPL", Instructions: slices.Concat(parts...)}
}

func argument(to asm.Register, position int) asm.Instruction {
	return asm.LoadMem(to, rContext, int16((position-1)*wordSize), asm.DWord)
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

// begin finds the counters, counts the event and loads the address; it ends where there is none.
func (a assembler) begin() asm.Instructions {
	return slices.Concat(asm.Instructions{
		asm.Mov.Reg(rContext, asm.R1),
		asm.StoreImm(asm.RFP, fpIndex, 0, asm.Word),
		asm.LoadMapPtr(asm.R1, a.maps.counters.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, fpIndex),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Reg(rCounts, asm.R0),
	}, increment(cEvents), asm.Instructions{
		argument(rPointer, argPointer),
		asm.JEq.Imm(rPointer, 0, "out"),
	})
}

// increment is for the counters of this processor, in which no other writes.
func increment(counter int16) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, rCounts, counter, asm.DWord),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(rCounts, counter, asm.R1, asm.DWord),
	}
}

// sampled goes to a label where an address is not among those that are followed.
func (a assembler) sampled(pointer asm.Register, otherwise string) asm.Instructions {
	factor := uint64(hashFactor)

	return asm.Instructions{
		asm.Mov.Reg(asm.R1, pointer),
		asm.RSh.Imm(asm.R1, hashShift),
		asm.LoadImm(asm.R2, int64(factor), asm.DWord),
		asm.Mul.Reg(asm.R1, asm.R2),
		asm.RSh.Imm(asm.R1, 32),
		asm.LoadMapValue(asm.R2, a.maps.settings.FD(), 0),
		asm.LoadMem(asm.R2, asm.R2, 0, asm.Word),
		asm.JGT.Reg(asm.R1, asm.R2, otherwise),
	}
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

// read reads size bytes of the kernel's memory at R3.
func read(to, size int32) asm.Instructions { return readWith(asm.FnProbeReadKernel, to, size) }

func readWith(helper asm.BuiltinFunc, to, size int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.RFP),
		asm.Add.Imm(asm.R1, to),
		asm.Mov.Imm(asm.R2, size),
		helper.Call(),
	}
}

func cacheField(offset int32) asm.Instructions {
	return asm.Instructions{asm.Mov.Reg(asm.R3, rCache), asm.Add.Imm(asm.R3, offset)}
}

// zero clears words of the stack.
func zero(from, size int16) asm.Instructions {
	cleared := asm.Instructions{asm.Mov.Imm(asm.R1, 0)}
	for at := from; at < from+size; at += wordSize {
		cleared = append(cleared, asm.StoreMem(asm.RFP, at, asm.R1, asm.DWord))
	}

	return cleared
}

// cacheInfo finds what is known of the cache, or reads it the first time, and ends for a cache that is not followed.
func (a assembler) cacheInfo() asm.Instructions {
	lookup := asm.Instructions{
		asm.LoadMapPtr(asm.R1, a.maps.caches.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, fpKey),
		asm.FnMapLookupElem.Call(),
	}

	return slices.Concat(
		asm.Instructions{argument(rCache, argCache), asm.StoreMem(asm.RFP, fpKey, rCache, asm.DWord)},
		lookup, asm.Instructions{asm.JNE.Imm(asm.R0, 0, "known")},
		zero(fpInfo, cacheInfoSize), zero(fpNumber, 2*wordSize),
		cacheField(a.layout.cacheName), read(fpName, wordSize),
		asm.Instructions{asm.LoadMem(asm.R3, asm.RFP, fpName, asm.DWord)}, readWith(asm.FnProbeReadKernelStr, fpInfo+atName, nameSize),
		cacheField(a.layout.cacheSize), read(fpInfo+atCacheSize, 4),
		cacheField(a.layout.cacheFlags), read(fpNumber, 4),
		asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, fpNumber, asm.Word),
			asm.And.Imm(asm.R1, int32(a.layout.reclaimable)),
			asm.JNE.Imm(asm.R1, 0, "learned"),
			asm.StoreImm(asm.RFP, fpInfo+atFollowed, 1, asm.Word),
			asm.LoadMapPtr(asm.R1, a.maps.caches.FD()).WithSymbol("learned"),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, fpKey),
			asm.Mov.Reg(asm.R3, asm.RFP),
			asm.Add.Imm(asm.R3, fpInfo),
			asm.Mov.Imm(asm.R4, mayExist),
			asm.FnMapUpdateElem.Call(),
		},
		lookup, asm.Instructions{
			asm.JEq.Imm(asm.R0, 0, "out"),
			asm.LoadMem(asm.R1, asm.R0, atFollowed, asm.Word).WithSymbol("known"),
			asm.JEq.Imm(asm.R1, 0, "out"),
			asm.LoadMem(asm.R1, asm.R0, atCacheSize, asm.Word),
			asm.StoreMem(asm.RFP, fpEntry+atSize, asm.R1, asm.DWord),
		})
}

// follow notes who allocated, with the size that is in the entry already.
func (a assembler) follow(gfp int) asm.Instructions {
	return slices.Concat(
		zero(fpEntry+atComm, commSize),
		asm.Instructions{
			asm.FnKtimeGetNs.Call(),
			asm.StoreMem(asm.RFP, fpEntry+atTime, asm.R0, asm.DWord),
			asm.StoreMem(asm.RFP, fpEntry+atCache, rCache, asm.DWord),
			argument(asm.R1, argCallSite),
			asm.StoreMem(asm.RFP, fpEntry+atSite, asm.R1, asm.DWord),
			asm.FnGetCurrentCgroupId.Call(),
			asm.StoreMem(asm.RFP, fpEntry+atCgroup, asm.R0, asm.DWord),
			asm.FnGetCurrentPidTgid.Call(),
			asm.RSh.Imm(asm.R0, 32),
			asm.StoreMem(asm.RFP, fpEntry+atTGID, asm.R0, asm.Word),
			asm.FnGetCurrentUidGid.Call(),
			asm.StoreMem(asm.RFP, fpEntry+atUID, asm.R0, asm.Word),
			argument(asm.R1, gfp),
			asm.StoreMem(asm.RFP, fpEntry+atGFP, asm.R1, asm.Word),
			asm.Mov.Reg(asm.R1, asm.RFP),
			asm.Add.Imm(asm.R1, fpEntry+atComm),
			asm.Mov.Imm(asm.R2, commSize),
			asm.FnGetCurrentComm.Call(),
			asm.Mov.Reg(asm.R1, rContext),
			asm.LoadMapPtr(asm.R2, a.maps.stacks.FD()),
			asm.Mov.Imm(asm.R3, fastStackCompare),
			asm.FnGetStackid.Call(),
			asm.StoreMem(asm.RFP, fpEntry+atStack, asm.R0, asm.Word),
			asm.JSGE.Imm(asm.R0, 0, "stack"),
		}, increment(cNoStack), asm.Instructions{
			asm.StoreMem(asm.RFP, fpKey, rPointer, asm.DWord).WithSymbol("stack"),
		}, a.put(mustNotExist), asm.Instructions{
			asm.JEq.Imm(asm.R0, 0, "put"),
		}, a.put(mayExist), asm.Instructions{
			asm.JNE.Imm(asm.R0, 0, "full"),
		}, increment(cReplaced), asm.Instructions{asm.Ja.Label("put")},
		marked("full", increment(cFull)), asm.Instructions{asm.Ja.Label("out")},
		marked("put", increment(cFollowed)))
}

func marked(label string, part asm.Instructions) asm.Instructions {
	part[0] = part[0].WithSymbol(label)

	return part
}

func (a assembler) put(flags int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, a.maps.live.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, fpKey),
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, fpEntry),
		asm.Mov.Imm(asm.R4, flags),
		asm.FnMapUpdateElem.Call(),
	}
}
