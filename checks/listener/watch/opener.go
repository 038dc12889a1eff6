package watch

import (
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener/watch/probe"
)

const (
	// What is kept of the texts of a process, in bytes, so that a payload of 200 events stays small.
	maxName          = 64
	maxCommandLine   = 256
	maxParentCommand = 96
	maxExecutable    = 256
	// maxParents is how many generations above a process are named.
	maxParents = 4
	// maxRemembered bounds how many processes are remembered that were read before.
	maxRemembered = 512
)

// tick is the unit of a process's start (USER_HZ).
const tick = 10 * time.Millisecond

// identity tells a process from all others.
type identity struct {
	pid   int
	ticks uint64
}

// opener is who opened a socket.
type opener struct {
	// tasks are the process and those above it; none where nobody knows who it was.
	tasks   []probe.Task
	process *Process
	parents []Process
	uid     uint32
	user    string
	cgroup  string
	unit    string
}

func (o *opener) identity() identity {
	if len(o.tasks) == 0 {
		return identity{}
	}

	return identity{pid: o.tasks[0].PID, ticks: o.tasks[0].StartTicks}
}
