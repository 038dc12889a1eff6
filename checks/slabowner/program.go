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

	// maxBulk is how many addresses of one bulk freeing are looked at: the network frees 64 at once, and kfree_rcu() a page of them, less its head.
	maxBulk = 512
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
	return a.often("slab_alloc", a.sampledArgument(), a.cacheInfo(), a.follow(argAllocGFP))
}

// mallocs follows kmalloc(call_site, ptr, bytes_req, bytes_alloc, gfp, node): all large ones, and those in caches that the kernel cannot reclaim.
func (a assembler) mallocs() *ebpf.ProgramSpec {
	largest := int32(a.layout.largest)

	return a.often("slab_kmalloc",
		append(asm.Instructions{argumentIn(asm.R1, asm.R2, argBytesAlloc), asm.JGT.Imm(asm.R2, largest, "looked at")}, a.sampledArgument()...),
		asm.Instructions{
			argument(rCache, argBytesAlloc),
			asm.JGT.Imm(rCache, largest, "followed"),
			argument(asm.R1, argMallocGFP),
			asm.And.Imm(asm.R1, gfpReclaimable),
			asm.JNE.Imm(asm.R1, 0, "out"),
			asm.StoreMem(asm.RFP, fpEntry+atSize, rCache, asm.DWord).WithSymbol("followed"),
			asm.Mov.Imm(rCache, 0),
		},
		a.follow(argMallocGFP))
}

// kfrees is for kfree(call_site, ptr), which frees what is large, too.
func (a assembler) kfrees() *ebpf.ProgramSpec {
	return a.often("slab_kfree",
		append(asm.Instructions{
			argumentIn(asm.R1, asm.R2, argPointer), asm.JEq.Imm(asm.R2, 0, "count"),
			asm.And.Imm(asm.R2, int32(a.layout.largeAlign-1)), asm.JEq.Imm(asm.R2, 0, "looked at"),
		}, a.sampledArgument()...),
		a.forget("out"), increment(rCounts, cFreed))
}

// freeings is for kmem_cache_free(call_site, ptr, ...).
func (a assembler) freeings() *ebpf.ProgramSpec {
	return a.often("slab_free", a.sampledArgument(), a.forget("out"), increment(rCounts, cFreed))
}

// bulkFreeings is for kmem_cache_free_bulk(cache, size, addresses), which passes through no tracepoint.
func (a assembler) bulkFreeings() *ebpf.ProgramSpec {
	spec := program("slab_free_bulk",
		asm.Instructions{asm.Mov.Reg(rContext, asm.R1)},
		functionArgument(1, fpName), functionArgument(2, fpNumber),
		asm.Instructions{asm.LoadMem(rSize, asm.RFP, fpName, asm.DWord), asm.LoadMem(rAddresses, asm.RFP, fpNumber, asm.DWord)},
		a.forgetAll())
	spec.Type, spec.AttachType, spec.AttachTo = ebpf.Tracing, ebpf.AttachTraceFEntry, "kmem_cache_free_bulk"

	return spec
}

// Registers of a program that goes through a list of addresses.
const (
	rIndex     = asm.R6
	rAddresses = asm.R8
	rSize      = asm.R9
)

// forgetAll forgets a list of addresses; what is large is followed whatever its address.
func (a assembler) forgetAll() asm.Instructions {
	return slices.Concat(
		asm.Instructions{
			asm.Mov.Imm(rIndex, 0),
			asm.JGE.Reg(rIndex, rSize, "out").WithSymbol("next"),
			asm.JGE.Imm(rIndex, maxBulk, "out"),
			asm.Mov.Reg(asm.R3, rIndex),
			asm.LSh.Imm(asm.R3, 3),
			asm.Add.Reg(asm.R3, rAddresses),
			asm.Add.Imm(rIndex, 1),
		},
		read(fpKey, wordSize),
		asm.Instructions{
			asm.LoadMem(rPointer, asm.RFP, fpKey, asm.DWord),
			asm.Mov.Reg(asm.R2, rPointer),
			asm.And.Imm(asm.R2, int32(a.layout.largeAlign-1)),
			asm.JEq.Imm(asm.R2, 0, "large"),
		},
		a.sampled(rPointer, "next"), marked("large", a.forget("next")), asm.Instructions{asm.Ja.Label("next")})
}
