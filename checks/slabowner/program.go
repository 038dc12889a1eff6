package slabowner

import (
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

const (
	fastStackCompare = 1 << 9 // BPF_F_FAST_STACK_CMP
	mayExist         = 0      // BPF_ANY
	mustNotExist     = 1      // BPF_NOEXIST

	// maxBulk is how many addresses of one bulk freeing are looked at; the network frees 64 at once.
	maxBulk = 256
)

// Registers that no helper changes.
const (
	rContext = asm.R6
	rPointer = asm.R7
	rCounts  = asm.R8
	rCache   = asm.R9
)

// assembler writes the programs for one kernel.
type assembler struct {
	layout layout
	maps   *kernelMaps
}

// allocations follows kmem_cache_alloc(call_site, ptr, cache, gfp, node).
func (a assembler) allocations() *ebpf.ProgramSpec {
	return program("slab_alloc", a.begin(), a.sampled("out"), a.cacheInfo(), a.follow(argAllocGFP))
}

// mallocs follows kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp, node).
func (a assembler) mallocs() *ebpf.ProgramSpec {
	return program("slab_kmalloc", a.begin(),
		asm.Instructions{argument(rCache, argBytesAlloc), asm.JGT.Imm(rCache, largest, "followed")},
		a.sampled("out"),
		asm.Instructions{
			argument(asm.R1, argMallocGFP).WithSymbol("followed"),
			asm.And.Imm(asm.R1, gfpReclaimable),
			asm.JNE.Imm(asm.R1, 0, "out"),
			asm.StoreMem(asm.RFP, fpEntry+atSize, rCache, asm.DWord),
			asm.Mov.Imm(rCache, 0),
		},
		a.follow(argMallocGFP))
}

// freeings is for kmem_cache_free and kfree, both with (call_site, ptr, ...). What lies at the begin of a page may be too large for a cache.
func (a assembler) freeings() *ebpf.ProgramSpec {
	return program("slab_free", a.begin(),
		asm.Instructions{asm.Mov.Reg(asm.R1, rPointer), asm.And.Imm(asm.R1, pageMask), asm.JEq.Imm(asm.R1, 0, "followed")},
		a.sampled("out"),
		asm.Instructions{
			asm.StoreMem(asm.RFP, fpKey, rPointer, asm.DWord).WithSymbol("followed"),
			asm.LoadMapPtr(asm.R1, a.maps.live.FD()),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, fpKey),
			asm.FnMapDeleteElem.Call(),
			asm.JNE.Imm(asm.R0, 0, "out"),
		}, increment(cFreed))
}

// bulkFreeings is for kmem_cache_free_bulk(cache, size, addresses), which passes through no tracepoint.
func (a assembler) bulkFreeings() *ebpf.ProgramSpec {
	const rIndex, rAddresses, rSize = asm.R7, asm.R8, asm.R9

	spec := program("slab_free_bulk",
		asm.Instructions{asm.Mov.Reg(rContext, asm.R1)},
		functionArgument(1, fpName), functionArgument(2, fpNumber),
		asm.Instructions{
			asm.LoadMem(rSize, asm.RFP, fpName, asm.DWord),
			asm.LoadMem(rAddresses, asm.RFP, fpNumber, asm.DWord),
			asm.Mov.Imm(rIndex, 0),
			asm.JGE.Reg(rIndex, rSize, "out").WithSymbol("next"),
			asm.JGE.Imm(rIndex, maxBulk, "out"),
			asm.Mov.Reg(asm.R3, rIndex),
			asm.LSh.Imm(asm.R3, 3),
			asm.Add.Reg(asm.R3, rAddresses),
			asm.Add.Imm(rIndex, 1),
		},
		read(fpKey, wordSize),
		asm.Instructions{asm.LoadMem(asm.R1, asm.RFP, fpKey, asm.DWord)},
		a.sampledR1("next"),
		asm.Instructions{
			asm.LoadMapPtr(asm.R1, a.maps.live.FD()),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, fpKey),
			asm.FnMapDeleteElem.Call(),
			asm.Ja.Label("next"),
		})
	spec.Type, spec.AttachType, spec.AttachTo = ebpf.Tracing, ebpf.AttachTraceFEntry, "kmem_cache_free_bulk"

	return spec
}

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

// sampled goes to a label where the address is not among those that are followed.
func (a assembler) sampled(otherwise string) asm.Instructions {
	return append(asm.Instructions{asm.Mov.Reg(asm.R1, rPointer)}, a.sampledR1(otherwise)...)
}

func (a assembler) sampledR1(otherwise string) asm.Instructions {
	factor := uint64(hashFactor)

	return asm.Instructions{
		asm.RSh.Imm(asm.R1, hashShift),
		asm.LoadImm(asm.R2, int64(factor), asm.DWord),
		asm.Mul.Reg(asm.R1, asm.R2),
		asm.RSh.Imm(asm.R1, 32),
		asm.LoadMapValue(asm.R2, a.maps.settings.FD(), 0),
		asm.LoadMem(asm.R2, asm.R2, 0, asm.Word),
		asm.JGT.Reg(asm.R1, asm.R2, otherwise),
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
