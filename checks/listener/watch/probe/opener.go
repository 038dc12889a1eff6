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

	p.arguments()
}

// arguments reads the process's own memory, as /proc/PID/cmdline would. Where the page is not there, none are put down.
func (p *program) arguments() {
	const start, length = asm.R7, asm.R9

	// The socket is not needed any more.
	p.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(pointer, asm.R0))
	p.follow(pointer, p.layout.memory)
	p.probe(asm.RFP, keyOnStack, 8, pointer, p.layout.argsStart)
	p.add(asm.LoadMem(start, asm.RFP, keyOnStack, asm.DWord))
	p.follow(pointer, p.layout.argsEnd)
	p.add(
		asm.Sub.Reg(length, start),
		asm.JLE.Imm(length, argsSize, "short"),
		asm.Mov.Imm(length, argsSize),

		asm.Mov.Reg(asm.R1, record).WithSymbol("short"),
		asm.Add.Imm(asm.R1, atArgs),
		asm.Mov.Reg(asm.R2, length),
		asm.Mov.Reg(asm.R3, start),
		asm.FnProbeReadUser.Call(),
		asm.JNE.Imm(asm.R0, 0, "no arguments"),
		asm.StoreMem(record, atArgsLength, length, asm.Word),
	)
	p.label("no arguments")
}
