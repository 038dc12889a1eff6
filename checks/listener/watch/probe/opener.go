package probe

import (
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// opener puts down who opened the socket: the process and those above it, and the process's command line. It may be gone
// before anybody can look into /proc.
func (p *program) opener() {
	p.Add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(bpf.Pointer, asm.R0))

	for i := range int32(taskCount) {
		// A thread may have started the process, and the socket.
		p.Follow(bpf.Pointer, p.layout.leader)
		p.Probe(bpf.Record, atTasks+i*taskSize+atPID, 4, bpf.Pointer, p.layout.pid)
		p.Probe(bpf.Record, atTasks+i*taskSize+atStart, 8, bpf.Pointer, p.layout.start)
		p.Probe(bpf.Record, atTasks+i*taskSize+atName, nameSize, bpf.Pointer, p.layout.name)
		p.Follow(bpf.Pointer, p.layout.parent)
	}

	p.started()
	p.ownArguments(bpf.Record, atArgs, atArgsLength, argsSize)
}

// started puts down the name by which the process's program was started, which the kernel has put behind its environment.
func (p *program) started() {
	p.Add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(bpf.Pointer, asm.R0))
	p.Follow(bpf.Pointer, p.layout.memory)
	p.Probe(asm.RFP, bpf.KeyOnStack, 8, bpf.Pointer, p.layout.environmentEnd)
	p.Add(
		asm.StoreImm(bpf.Record, atProgram, 0, asm.Byte),
		asm.Mov.Reg(asm.R1, bpf.Record), asm.Add.Imm(asm.R1, atProgram),
		asm.Mov.Imm(asm.R2, programSize),
		asm.LoadMem(asm.R3, asm.RFP, bpf.KeyOnStack, asm.DWord),
		asm.FnProbeReadUserStr.Call(),
	)
}

// ownArguments reads the process's own memory, as /proc/PID/cmdline would, to the place to + at, and puts their length to
// to + length. Where the page is not there, none are put down. It needs the registers of the socket and of the pointer.
func (p *program) ownArguments(to asm.Register, at, length int16, limit int32) {
	const start, size = asm.R7, asm.R9

	p.Add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(bpf.Pointer, asm.R0))
	p.Follow(bpf.Pointer, p.layout.memory)
	p.Probe(asm.RFP, bpf.KeyOnStack, 8, bpf.Pointer, p.layout.argsStart)
	p.Add(asm.LoadMem(start, asm.RFP, bpf.KeyOnStack, asm.DWord))
	p.Follow(bpf.Pointer, p.layout.argsEnd)
	p.Add(
		asm.Sub.Reg(size, start),
		asm.JLE.Imm(size, limit, "short"),
		asm.Mov.Imm(size, limit),

		asm.Mov.Reg(asm.R1, to).WithSymbol("short"),
		asm.Add.Imm(asm.R1, int32(at)),
		asm.Mov.Reg(asm.R2, size),
		asm.Mov.Reg(asm.R3, start),
		asm.FnProbeReadUser.Call(),
		asm.JNE.Imm(asm.R0, 0, "no arguments"),
		asm.StoreMem(to, length, size, asm.Word),
	)
	p.Label("no arguments")
}
