package probe

import (
	"github.com/cilium/ebpf/asm"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// socket is the register of what a program is about.
const socket = asm.R7

// program is about sockets.
type program struct {
	bpf.Program

	layout *layout
	udp    datagrams
}

// listening is run at each change of state of a TCP socket, for which it must be quick unless the socket begins or ceases
// to listen: what is done then is a function of its own, so that nothing is saved for the others. An accepted connection
// begins as a copy of its listener and leaves that state (LISTEN to SYN_RECV); a socket of MPTCP has a twin of TCP, and
// changes from LISTEN to LISTEN besides.
func (p *program) listening() asm.Instructions {
	const few = "begins or ceases"

	p.Add(
		asm.LoadMem(asm.R2, asm.R1, 8, asm.DWord),
		asm.LoadMem(asm.R3, asm.R1, 16, asm.DWord),
		asm.JEq.Imm(asm.R3, stateListen, "listener"),
		asm.JNE.Imm(asm.R3, stateClose, "other"),
		asm.JNE.Imm(asm.R2, stateListen, "other"),
		bpf.Call(few).WithSymbol("listener"),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("other"),
		asm.Return(),

		asm.Mov.Reg(bpf.Context, asm.R1).WithSymbol(few),
		asm.LoadMem(asm.R1, bpf.Context, 8, asm.DWord),
		asm.LoadMem(asm.R2, bpf.Context, 16, asm.DWord),
		asm.JEq.Imm(asm.R1, stateListen, "was listening"),
		asm.JNE.Imm(asm.R1, stateClose, "out"),
	)
	p.tcpSocket()
	p.Reserve(openedSize)
	p.tcp(Opened)
	p.opener()
	p.Submit()

	p.Label("was listening")
	p.Add(asm.JNE.Imm(asm.R2, stateClose, "out"))
	p.tcpSocket()
	p.Reserve(closedSize)
	p.tcp(Closed)
	p.systemCall()
	p.Submit()

	p.End(0)

	return p.Instructions
}

// tcpSocket takes the socket from the context and leaves all but TCP alone: SCTP and DCCP pass here as well.
func (p *program) tcpSocket() {
	p.Add(asm.LoadMem(socket, bpf.Context, 0, asm.DWord))
	p.only(protocolTCP)
}

// only leaves sockets of all other protocols alone.
func (p *program) only(protocol int32) {
	p.Probe(asm.RFP, bpf.OnStack, 2, socket, p.layout.protocol)
	p.Add(
		asm.LoadMem(asm.R1, asm.RFP, bpf.OnStack, asm.Half),
		asm.JNE.Imm(asm.R1, protocol, "out"),
	)
}
