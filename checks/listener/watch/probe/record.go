package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// Kind is what happened to a socket.
type Kind uint16

// The kinds of a record.
const (
	Opened Kind = 1
	Closed Kind = 2
)

// Record is one socket that began to receive clients, or ceased to.
type Record struct {
	Kind Kind
	// SinceBoot is when, on the clock that also runs while the host is suspended.
	SinceBoot time.Duration
	// Socket has no inode, queue and backlog. A TCP socket has no port at its opening where nobody gave it one (bind(2));
	// the kernel chooses it afterwards. Whether a UDP socket on [::] leaves IPv4 alone is unknown below a cgroup.
	Socket listener.Socket
	// ReusePort tells whether SO_REUSEPORT is set; nil for UDP below a cgroup, where it is unknown.
	ReusePort *bool
	// NamespaceID is the network namespace, by the number that lsns(8) shows. At the closing of a UDP socket below a cgroup
	// neither this nor the address is known.
	NamespaceID uint64
	// InListen says of a closing that it happened within listen(2): the kernel refused the call, and the socket never listened.
	InListen bool
	// Tasks are the process that opened the socket, its parent and so on, at most five; empty for a closing.
	Tasks []Task
	// Arguments are the first 256 bytes of the process's command line, each argument with a zero byte behind it; empty for a
	// closing and where it is paged out.
	Arguments []byte
	// Program is the name by which the program was started (execve(2)), up to 127 bytes of it; empty as Arguments are.
	Program string
}

// Task is a process as the kernel knew it when the socket was opened. Its number is the one that it has on the host, also
// where it runs in a container.
type Task struct {
	PID int
	// StartTicks is starttime of proc_pid_stat(5). With the PID it identifies a process.
	StartTicks uint64
	// Name is the kernel's short name as it is, with whatever bytes the process chose.
	Name string
}

// A record in the ring, in the processor's byte order: the fields of every record, then those of an opening.
const (
	atSinceBoot = 0
	atCookie    = 8
	atCgroup    = 16
	atNamespace = 24
	atUID       = 28
	atFamily    = 32
	atPort      = 34
	atKind      = 36
	atProtocol  = 38
	atDevice    = 40
	atSyscall   = 44
	atAddress   = 48
	atReusePort = 64
	atV6Only    = 65
	// atHidden is not 0 where the kernel did not tell the two before it.
	atHidden = 66
	// atArgsLength is at a multiple of 4, as the verifier demands.
	atArgsLength = 68
	closedSize   = 72

	atTasks    = 72
	taskSize   = 32
	atPID      = 0
	atStart    = 8
	atName     = 16
	atArgs     = atTasks + taskCount*taskSize
	atProgram  = atArgs + argsSize
	openedSize = atProgram + programSize
)

// nanosecondsPerTick turns the kernel's times into those of /proc (USER_HZ).
const nanosecondsPerTick = 10_000_000

// parse reads a record of the ring. It is false for one of another form.
func (l *layout) parse(raw []byte) (r Record, ok bool) {
	if len(raw) < closedSize {
		return r, false
	}

	r = Record{
		Kind:        Kind(binary.NativeEndian.Uint16(raw[atKind:])),
		SinceBoot:   time.Duration(binary.NativeEndian.Uint64(raw[atSinceBoot:])),
		NamespaceID: uint64(binary.NativeEndian.Uint32(raw[atNamespace:])),
		Socket: listener.Socket{
			Network:        listener.TCP,
			UID:            binary.NativeEndian.Uint32(raw[atUID:]),
			Cookie:         binary.NativeEndian.Uint64(raw[atCookie:]),
			CgroupID:       binary.NativeEndian.Uint64(raw[atCgroup:]),
			InterfaceIndex: binary.NativeEndian.Uint32(raw[atDevice:]),
		},
	}

	var addr netip.Addr

	switch binary.NativeEndian.Uint16(raw[atFamily:]) {
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(raw[atAddress:]))
	case unix.AF_INET6:
		addr = netip.AddrFrom16([16]byte(raw[atAddress:]))
	default:
		return r, false
	}

	r.Socket.Address = netip.AddrPortFrom(addr, binary.BigEndian.Uint16(raw[atPort:]))

	if raw[atProtocol] == protocolUDP {
		r.Socket.Network = listener.UDP
	}

	if raw[atHidden] == 0 {
		r.ReusePort = new(raw[atReusePort]&l.reusePort.Mask != 0)

		if addr.Is6() && addr.IsUnspecified() {
			r.Socket.V6Only = new(raw[atV6Only]&l.v6Only.Mask != 0)
		}
	}

	switch {
	case r.Kind == Closed:
		r.InListen = binary.NativeEndian.Uint32(raw[atSyscall:]) == unix.SYS_LISTEN

		return r, true
	case r.Kind == Opened && len(raw) >= openedSize:
		r.takeTasks(raw)

		return r, true
	}

	return r, false
}

func (r *Record) takeTasks(raw []byte) {
	for i := range taskCount {
		task := raw[atTasks+i*taskSize:][:taskSize]

		// Above the first process there is only the kernel's idle one.
		pid := binary.NativeEndian.Uint32(task[atPID:])
		if pid == 0 {
			break
		}

		// Linux 6.1 leaves what was there before behind the name's end.
		name, _, _ := bytes.Cut(task[atName:], []byte{0})

		r.Tasks = append(r.Tasks, Task{
			PID: int(pid), StartTicks: binary.NativeEndian.Uint64(task[atStart:]) / nanosecondsPerTick, Name: string(name),
		})
	}

	length := min(binary.NativeEndian.Uint32(raw[atArgsLength:]), argsSize)
	r.Arguments = bytes.Clone(raw[atArgs:][:length])

	program, _, _ := bytes.Cut(raw[atProgram:][:programSize], []byte{0})
	r.Program = string(program)
}

// String is the name in messages.
func (k Kind) String() string {
	switch k {
	case Opened:
		return "opened"
	case Closed:
		return "closed"
	}

	return fmt.Sprintf("kind %d", uint16(k))
}
