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
// to listen. An accepted connection begins as a copy of its listener and leaves that state (LISTEN to SYN_RECV); a socket
// of MPTCP has a twin of TCP, and changes from LISTEN to LISTEN besides.
func (p *program) listening() asm.Instructions {
	p.Add(
		asm.Mov.Reg(bpf.Context, asm.R1),
		asm.LoadMem(asm.R1, bpf.Context, 8, asm.DWord),
		asm.LoadMem(asm.R2, bpf.Context, 16, asm.DWord),
		asm.JEq.Imm(asm.R1, stateListen, "was listening"),
		asm.JNE.Imm(asm.R2, stateListen, "out"),
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
	p.Submit()

	p.End(0)

	return p.Instructions
}

// tcpSocket takes the socket from the context and leaves all but TCP alone: SCTP and DCCP pass here as well.
func (p *program) tcpSocket() {
	p.Add(asm.LoadMem(socket, bpf.Context, 0, asm.DWord))
	p.Probe(asm.RFP, bpf.OnStack, 2, socket, p.layout.protocol)
	p.Add(
		asm.LoadMem(asm.R1, asm.RFP, bpf.OnStack, asm.Half),
		asm.JNE.Imm(asm.R1, protocolTCP, "out"),
	)
}

// common fills what is known without the socket.
func (p *program) common(kind Kind, protocol int64) {
	p.Store(atSinceBoot, asm.DWord, asm.FnKtimeGetBootNs)
	p.Store(atCgroup, asm.DWord, asm.FnGetCurrentCgroupId)
	p.Store(atUID, asm.Word, asm.FnGetCurrentUidGid)
	p.Add(
		asm.StoreImm(bpf.Record, atKind, int64(kind), asm.Half),
		asm.StoreImm(bpf.Record, atProtocol, protocol, asm.Half),
		asm.StoreImm(bpf.Record, atSyscall, 0, asm.Word),
		asm.StoreImm(bpf.Record, atReusePort, 0, asm.Word),
		asm.StoreImm(bpf.Record, atArgsLength, 0, asm.Word),
	)
}

func (p *program) tcp(kind Kind) {
	p.common(kind, protocolTCP)
	p.cookie(socket, bpf.Record, atCookie)

	if kind == Closed {
		p.Add(
			asm.FnGetCurrentTaskBtf.Call(),
			asm.Mov.Reg(asm.R1, asm.R0),
			asm.FnTaskPtRegs.Call(),
			asm.Mov.Reg(bpf.Pointer, asm.R0),
		)
		p.Probe(bpf.Record, atSyscall, 4, bpf.Pointer, p.layout.syscall)
	}

	for _, f := range []struct {
		at, size int32
		field    bpf.Field
	}{
		{atFamily, 2, p.layout.family},
		// The other copy of the port is 0 at the closing of a socket whose port the kernel chose.
		{atPort, 2, p.layout.port},
		{atDevice, 4, p.layout.device},
		{atReusePort, 1, p.layout.reusePort},
		{atV6Only, 1, p.layout.v6Only},
		{atAddress, 16, p.layout.address6},
	} {
		p.Probe(bpf.Record, f.at, f.size, socket, f.field)
	}

	p.Follow(socket, p.layout.network)
	p.namespace()

	v6 := "v6 " + kind.String()
	p.Add(
		asm.LoadMem(asm.R1, bpf.Record, atFamily, asm.Half),
		asm.JEq.Imm(asm.R1, familyV6, v6),
	)
	p.Probe(bpf.Record, atAddress, 4, socket, p.layout.address4)
	p.Label(v6)
}

// cookie puts the number of a socket to the place to + at.
func (p *program) cookie(of, to asm.Register, at int16) {
	p.Add(
		asm.Mov.Reg(asm.R1, of),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(to, at, asm.R0, asm.DWord),
	)
}

// namespace puts down the number of the network namespace that is pointed to.
func (p *program) namespace() {
	p.Probe(bpf.Record, atNamespace, 4, bpf.Pointer, bpf.Field{Offset: p.layout.namespace.Offset + p.layout.namespaceNumber.Offset})
}
