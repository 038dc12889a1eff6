package sandbox

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// kill is kill(process, signal) and its relatives. The test may signal itself, as abort(3) does; others do not notice.
func (j *judge) kill(c *call) answer {
	process, signal := int(int32(c.arguments[0])), int(int32(c.arguments[1]))
	if c.name == "tgkill" || c.name == "rt_tgsigqueueinfo" {
		signal = int(int32(c.arguments[2]))
	}
	// Signal 0 asks only whether there is such a process.
	if signal == 0 || j.isOwn(c, process) {
		return allow()
	}
	j.record.refuse(fmt.Sprintf("%s of %d with signal %d", c.name, process, signal))
	return success()
}

// isOwn tells whether a number of kill(2) means only processes of the test. It is in a session of its own, which no group of others can be in.
func (j *judge) isOwn(c *call, process int) bool {
	switch {
	case process == -1:
		return false
	case process < 0:
		process = -process
	}
	if process == 0 || process == c.pid || process == j.main {
		return true
	}
	_, own := j.processes[process]
	return own
}

// maxProcesses is how many processes a test may start and use.
const maxProcesses = 256

// fork is clone(flags, …) of a process: it inherits the sandbox, but for new namespaces and another parent.
func (j *judge) fork(c *call) answer {
	if c.arguments[0]&newSurroundings != 0 {
		return j.refuse(c)
	}
	if len(j.processes) >= maxProcesses {
		return fail(unix.EAGAIN)
	}
	return allow()
}

// fileGrants tells whether the file capabilities of the test's program give it one (capabilities(7)), which no_new_privs takes away.
func (j *judge) fileGrants(capability int) bool {
	const (
		revisionMask, revision2, revision3 = 0xff000000, 0x02000000, 0x03000000
		effective                          = 1
		shortest                           = 20
	)
	fd, err := unix.Openat(j.proc, strconv.Itoa(j.main)+"/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	var data [24]byte
	n, err := unix.Fgetxattr(fd, "security.capability", data[:])
	if err != nil || n < shortest {
		return false
	}
	header := binary.LittleEndian.Uint32(data[:])
	revision := header & revisionMask
	// After the header come 32 permitted capabilities, 32 inheritable ones, and the others.
	permitted := binary.LittleEndian.Uint32(data[4+8*(capability/32):])
	return (revision == revision2 || revision == revision3) && header&effective != 0 && permitted>>(capability%32)&1 == 1
}
