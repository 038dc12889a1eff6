package slabowner

import (
	"slices"

	"github.com/cilium/ebpf/asm"
)

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
		}, a.walk(), asm.Instructions{
			asm.StoreMem(asm.RFP, fpKey, rPointer, asm.DWord),
		}, a.put(mustNotExist), asm.Instructions{
			asm.JEq.Imm(asm.R0, 0, "put"),
		}, a.put(mayExist), asm.Instructions{
			asm.JNE.Imm(asm.R0, 0, "full"),
		}, increment(rCounts, cReplaced), asm.Instructions{asm.Ja.Label("put")},
		marked("full", increment(rCounts, cFull)), asm.Instructions{asm.Ja.Label("out")},
		marked("put", increment(rCounts, cFollowed)))
}

// walk notes who called, for it takes longer than all the rest, of few.
func (a assembler) walk() asm.Instructions {
	return slices.Concat(hashed(rPointer), asm.Instructions{
		asm.Mov.Imm(asm.R0, noStack),
		asm.LoadMem(asm.R1, asm.RFP, fpEntry+atSize, asm.DWord),
		asm.JGE.Imm(asm.R1, walkFrom, "walk"),
		asm.And.Imm(asm.R3, walkOneIn-1),
		asm.JNE.Imm(asm.R3, 0, "walked"),
		asm.Mov.Reg(asm.R1, rContext).WithSymbol("walk"),
		asm.LoadMapPtr(asm.R2, a.maps.stacks.FD()),
		asm.Mov.Imm(asm.R3, fastStackCompare),
		asm.FnGetStackid.Call(),
		asm.JSGE.Imm(asm.R0, 0, "walked"),
	}, increment(rCounts, cNoStack), asm.Instructions{
		asm.StoreMem(asm.RFP, fpEntry+atStack, asm.R0, asm.Word).WithSymbol("walked"),
	})
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
