package probe

import (
	"encoding/binary"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

const (
	// maxExecutions is how many of the last programs that were started are remembered, which takes half a megabyte.
	maxExecutions = 2048
	// commandSize is how much is kept of a command line.
	commandSize = 112
	// What is kept of each: when the process was started, as a number may be used again, and its command line.
	atExecStart  = 0
	atExecLength = 8
	atExecArgs   = 12
	execSize     = atExecArgs + commandSize
)

// watchExecutions has the kernel remember with which command line a program was started. The shell that starts a program
// is mostly gone a millisecond after it, and others cannot be asked for their arguments at the opening of a socket.
func (p *Probe) watchExecutions() (err error) {
	p.executions, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "listen_execs", Type: ebpf.LRUHash, KeySize: 4, ValueSize: execSize, MaxEntries: maxExecutions,
	})
	if err != nil {
		return err
	}

	return p.run(hook{spec: &ebpf.ProgramSpec{
		Name: "listen_exec", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "sched_process_exec",
		Instructions: p.program().executing(p.executions),
	}, connect: traced})
}

// executing is run after each execve(2).
func (p *program) executing(executions *ebpf.Map) asm.Instructions {
	// The value is built on the stack, in front of what is there for all programs.
	const (
		value = bpf.KeyOnStack - execSize - 4
		task  = asm.R6
	)

	p.Add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(task, asm.R0))

	for at := int16(0); at < execSize; at += 4 {
		p.Add(asm.StoreImm(asm.RFP, value+at, 0, asm.Word))
	}

	p.Follow(task, p.layout.leader)
	p.Probe(asm.RFP, value+atExecStart, 8, bpf.Pointer, p.layout.start)
	p.Probe(asm.RFP, bpf.KeyOnStack, 4, bpf.Pointer, p.layout.pid)
	p.Add(asm.LoadMem(asm.R8, asm.RFP, bpf.KeyOnStack, asm.Word))
	p.ownArguments(asm.RFP, value+atExecArgs, value+atExecLength, commandSize)
	p.Add(
		asm.StoreMem(asm.RFP, bpf.KeyOnStack, asm.R8, asm.Word),
		asm.LoadMapPtr(asm.R1, executions.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, bpf.KeyOnStack),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, value),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
	)

	return p.Instructions
}

// Command is the start of the command line with which a process's program was started, each argument with a zero byte
// behind it. It may be asked for when the process is gone, and is empty where too many others came after it.
func (p *Probe) Command(t Task) []byte {
	var value [execSize]byte

	if p.executions.Lookup(uint32(t.PID), &value) != nil {
		return nil
	}

	return parseCommand(value[:], t.StartTicks)
}

func parseCommand(value []byte, startTicks uint64) []byte {
	if binary.NativeEndian.Uint64(value[atExecStart:])/nanosecondsPerTick != startTicks {
		return nil
	}

	length := min(binary.NativeEndian.Uint32(value[atExecLength:]), commandSize)

	return value[atExecArgs:][:length]
}
