package tracepoint

import (
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

const (
	// victim is the register of the process that is killed; 0 where it was not found.
	victim = asm.R7
	// numberOnStack is where its number is.
	numberOnStack = bpf.KeyOnStack - 8
	// levels of the tree of numbers are enough for the largest that the kernel gives (PID_MAX_LIMIT), at 6 bits each.
	levels   = 4
	slotBits = 63
	// An address in the tree that leads further down is marked so.
	kindBits, isNode = 3, 2
)

type program struct {
	bpf.Program

	layout *layout
}

// marked is run when the kernel has sent a victim its signal.
func (p *program) marked() asm.Instructions {
	p.Add(asm.Mov.Reg(bpf.Context, asm.R1))

	if p.layout.tellsTask {
		p.Add(asm.LoadMem(victim, bpf.Context, 0, asm.DWord))
		p.Probe(asm.RFP, numberOnStack, 4, victim, p.layout.pid)
	} else {
		p.Add(
			asm.LoadMem(asm.R1, bpf.Context, 0, asm.DWord),
			asm.StoreMem(asm.RFP, numberOnStack, asm.R1, asm.Word),
		)
		p.search()
	}

	p.Reserve(recordSize)
	p.Store(atTime, asm.DWord, asm.FnKtimeGetNs)
	p.trigger()
	p.process()
	p.memory()
	p.cgroup()
	p.Submit()
	p.End(0)

	return p.Instructions
}

// search looks the number up as the kernel does, in the tree of the first namespace of processes.
func (p *program) search() {
	l := p.layout

	p.Add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(bpf.Pointer, asm.R0))
	p.Follow(bpf.Pointer, l.ownPID)
	p.Follow(bpf.Pointer, bpf.Field{Offset: l.numbers.Offset + l.namespace.Offset})
	p.Follow(bpf.Pointer, bpf.Field{Offset: l.index.Offset + l.tree.Offset + l.head.Offset})

	for range levels {
		p.Add(
			asm.Mov.Reg(asm.R1, bpf.Pointer), asm.And.Imm(asm.R1, kindBits),
			asm.JNE.Imm(asm.R1, isNode, "leaf"),
			asm.Sub.Imm(bpf.Pointer, isNode),
		)
		p.Probe(asm.RFP, bpf.KeyOnStack, 1, bpf.Pointer, l.shift)
		p.Add(
			asm.LoadMem(asm.R1, asm.RFP, bpf.KeyOnStack, asm.Byte),
			asm.LoadMem(asm.R2, asm.RFP, numberOnStack, asm.Word),
			asm.RSh.Reg(asm.R2, asm.R1),
			asm.And.Imm(asm.R2, slotBits),
			asm.LSh.Imm(asm.R2, 3),
			asm.Add.Reg(bpf.Pointer, asm.R2),
		)
		p.Follow(bpf.Pointer, l.slots)
	}

	p.Label("leaf")
	p.Follow(bpf.Pointer, l.tasks)
	p.Add(asm.Mov.Reg(victim, bpf.Pointer), asm.Sub.Imm(victim, l.links.Offset))

	// It may be gone, or the tree another than it is taken for.
	p.Probe(asm.RFP, bpf.KeyOnStack, 4, victim, l.pid)
	p.Add(
		asm.LoadMem(asm.R1, asm.RFP, bpf.KeyOnStack, asm.Word),
		asm.LoadMem(asm.R2, asm.RFP, numberOnStack, asm.Word),
		asm.JEq.Reg(asm.R1, asm.R2, "found"),
		asm.Mov.Imm(victim, 0),
	)
	p.Label("found")
}

// trigger puts down the process whose request for memory started the OOM killer.
func (p *program) trigger() {
	p.Add(
		asm.FnGetCurrentPidTgid.Call(),
		asm.RSh.Imm(asm.R0, 32),
		asm.StoreMem(bpf.Record, atTriggerPID, asm.R0, asm.Word),
		// Linux 6.1 leaves what was there before behind the name's end.
		asm.Mov.Reg(asm.R1, bpf.Record), asm.Add.Imm(asm.R1, atTrigger),
		asm.Mov.Imm(asm.R2, nameSize),
		asm.FnGetCurrentComm.Call(),
	)
}

// process puts zeros down for a victim that was not found.
func (p *program) process() {
	l := p.layout

	p.Add(
		asm.LoadMem(asm.R1, asm.RFP, numberOnStack, asm.Word),
		asm.StoreMem(bpf.Record, atPID, asm.R1, asm.Word),
		asm.StoreImm(bpf.Record, atFound, 0, asm.Word),
		asm.StoreImm(bpf.Record, atAdj, 0, asm.Word),
		asm.JEq.Imm(victim, 0, "unknown"),
		asm.StoreImm(bpf.Record, atFound, 1, asm.Word),
	)
	p.Label("unknown")
	p.Follow(victim, l.leader)
	p.Probe(bpf.Record, atName, nameSize, bpf.Pointer, l.name)
	p.Follow(victim, l.credentials)
	p.Probe(bpf.Record, atUID, 4, bpf.Pointer, l.uid)
	p.Follow(victim, l.signal)
	p.Probe(bpf.Record, atAdj, 2, bpf.Pointer, l.adj)
}

func (p *program) memory() {
	l := p.layout
	if !l.memory {
		return
	}

	p.Follow(victim, l.mm)

	for at, field := range map[int32]bpf.Field{atTotalVM: l.totalVM, atAnon: l.anon, atFile: l.file, atShmem: l.shmem, atPageTables: l.page} {
		p.Probe(bpf.Record, at, 8, bpf.Pointer, field)
	}
}

func (p *program) cgroup() {
	l := p.layout
	if !l.cgroups {
		return
	}

	p.Follow(victim, l.sets)
	p.Follow(bpf.Pointer, l.state)
	p.Follow(bpf.Pointer, l.group)
	p.Follow(bpf.Pointer, l.node)
	p.Probe(bpf.Record, atCgroup, 8, bpf.Pointer, l.id)
}
