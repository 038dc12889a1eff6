package probe

import "github.com/cilium/ebpf/asm"

// opener puts down who opened the socket: the process and those above it, and the process's command line. It may be gone
// before anybody can look into /proc.
func (p *program) opener() {
	p.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(pointer, asm.R0))

	for i := range int32(taskCount) {
		// A thread may have started the process, and the socket.
		p.follow(pointer, p.layout.leader)
		p.probe(record, atTasks+i*taskSize+atPID, 4, pointer, p.layout.pid)
		p.probe(record, atTasks+i*taskSize+atStart, 8, pointer, p.layout.start)
		p.probe(record, atTasks+i*taskSize+atName, nameSize, pointer, p.layout.name)
		p.follow(pointer, p.layout.parent)
	}

	p.started()
	p.ownArguments(record, atArgs, atArgsLength, argsSize)
}

// started puts down the name by which the process's program was started, which the kernel has put behind its environment.
func (p *program) started() {
	p.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(pointer, asm.R0))
	p.follow(pointer, p.layout.memory)
	p.probe(asm.RFP, keyOnStack, 8, pointer, p.layout.environmentEnd)
	p.add(
		asm.StoreImm(record, atProgram, 0, asm.Byte),
		asm.Mov.Reg(asm.R1, record), asm.Add.Imm(asm.R1, atProgram),
		asm.Mov.Imm(asm.R2, programSize),
		asm.LoadMem(asm.R3, asm.RFP, keyOnStack, asm.DWord),
		asm.FnProbeReadUserStr.Call(),
	)
}

// ownArguments reads the process's own memory, as /proc/PID/cmdline would, to the place to + at, and puts their length to
// to + length. Where the page is not there, none are put down. It needs the registers of the socket and of the pointer.
func (p *program) ownArguments(to asm.Register, at, length int16, limit int32) {
	const start, size = asm.R7, asm.R9

	p.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(pointer, asm.R0))
	p.follow(pointer, p.layout.memory)
	p.probe(asm.RFP, keyOnStack, 8, pointer, p.layout.argsStart)
	p.add(asm.LoadMem(start, asm.RFP, keyOnStack, asm.DWord))
	p.follow(pointer, p.layout.argsEnd)
	p.add(
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
	p.label("no arguments")
}
