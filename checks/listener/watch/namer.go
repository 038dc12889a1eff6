package watch

import (
	"math"
	"time"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// namer finds out who opened a socket. It is for one caller at a time.
type namer struct {
	reader    *listener.Reader
	processes *listener.ProcessReader
	// command tells with which command line a process was started that is gone.
	command func(probe.Task) []byte
	// known are processes by what the kernel told of them: a process that became another program is another one here.
	known map[knownKey]listener.Process
}

type knownKey struct {
	task      probe.Task
	arguments string
}

func newNamer(r *listener.Reader, command func(probe.Task) []byte) *namer {
	return &namer{reader: r, processes: r.NewProcessReader(), command: command, known: make(map[knownKey]listener.Process)}
}

// fromKernel names the opener in a record. In a hurry it reads nothing that it has not read before.
func (n *namer) fromKernel(r *probe.Record, hurry bool) *opener {
	// The process may have become another user's since.
	o := n.nobody(r.Socket.UID)
	o.tasks = r.Tasks

	for i, task := range r.Tasks {
		// The process's own arguments are only known of the one that opened the socket.
		if i == 0 {
			p, found := n.process(task, r, hurry)
			o.process, o.cgroup, o.unit = &p, found.Cgroup, found.Unit
		} else {
			o.parents = append(o.parents, n.parent(task, hurry))
		}
	}

	if o.cgroup == "" {
		o.cgroup = n.reader.CgroupPath(r.Socket.CgroupID)
		o.unit = cgroup.UnitOf(o.cgroup)
	}

	return o
}

// nobody is a process of which nothing is known but whose it is.
func (n *namer) nobody(uid uint32) *opener { return &opener{uid: uid, user: n.processes.UserName(uid)} }

func (n *namer) process(task probe.Task, r *probe.Record, hurry bool) (Process, listener.Process) {
	found, ok := n.read(task, string(r.Arguments), hurry)
	p := describe(task, found, ok)

	if !ok {
		p.CommandLine = procfile.PrintableStart(listener.CommandLine(r.Arguments), maxCommandLine)
		p.Executable = procfile.PrintableStart(r.Program, maxExecutable)
	}

	return p, found
}

func (n *namer) parent(task probe.Task, hurry bool) Process {
	found, ok := n.read(task, "", hurry)
	p := describe(task, found, ok)

	if !ok {
		p.CommandLine = listener.CommandLine(n.command(task))
	}

	return asParent(p)
}

// asParent leaves out what only matters of the one that opened the socket.
func asParent(p Process) Process {
	p.CommandLine = procfile.PrintableStart(p.CommandLine, maxParentCommand)
	p.Executable = ""

	return p
}

// read is false where the process is gone, or is another program than the one that the kernel told of.
func (n *namer) read(task probe.Task, arguments string, hurry bool) (found listener.Process, ok bool) {
	key := knownKey{task: task, arguments: arguments}
	if found, ok = n.known[key]; ok {
		return found, true
	}

	if hurry {
		return found, false
	}

	found, err := n.processes.Read(task.PID)
	same := err == nil && found.StartTicks == task.StartTicks && found.Name == procfile.PrintableStart(task.Name, maxName)

	// One that is about to be gone has a name and nothing else.
	if !same || found.CommandLine == "" && found.Executable == "" {
		return listener.Process{}, false
	}

	if len(n.known) >= maxRemembered {
		clear(n.known)
	}

	n.known[key] = found

	return found, true
}

func describe(task probe.Task, found listener.Process, ok bool) Process {
	p := Process{PID: task.PID, Name: procfile.PrintableStart(task.Name, maxName), StartedAt: startedAt(task.StartTicks), Brief: !ok}
	if ok {
		p.CommandLine = procfile.PrintableStart(found.CommandLine, maxCommandLine)
		p.Executable = procfile.PrintableStart(found.Executable, maxExecutable)
	}

	return p
}

// startedAt is no more exact than the kernel's ticks.
func startedAt(ticks uint64) float64 {
	if ticks > math.MaxInt64/uint64(tick) {
		return 0
	}

	return unixSeconds(wallTime(time.Duration(ticks) * tick).Round(tick))
}

// fromHolder names a process that was found with the socket in its hands.
func (n *namer) fromHolder(p *listener.Process) *opener {
	o := &opener{user: p.User, cgroup: p.Cgroup, unit: p.Unit}
	if p.UID != nil {
		o.uid = *p.UID
	}

	for next := *p; ; {
		task := probe.Task{PID: next.PID, StartTicks: next.StartTicks, Name: next.Name}
		shown := describe(task, next, true)
		o.tasks = append(o.tasks, task)

		if o.process == nil {
			o.process = &shown
		} else {
			o.parents = append(o.parents, asParent(shown))
		}

		parent, err := n.processes.Read(next.PPID)
		if len(o.parents) == maxParents || next.PPID <= 0 || err != nil {
			return o
		}

		next = parent
	}
}
