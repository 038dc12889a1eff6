package sandbox

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// judge answers the system calls of one test as the kernel would, without their effects. It is used by one goroutine.
type judge struct {
	// proc is /proc of this process, root the root directory of the test, as O_PATH descriptors.
	proc, root int
	// null and output are /dev/null and the pipe that are the standard streams of the test.
	null, output int
	outputStat   unix.Stat_t
	main         int
	pidfd        int
	// asRoot is set where the test is judged as root with the capabilities rootly, whatever it has.
	asRoot bool
	rootly uint64
	// bindsLowPorts is set where the program's file gives it CAP_NET_BIND_SERVICE.
	bindsLowPorts bool
	identity      identity
	limits        Command
	overlay       overlay
	sink          syslogSink
	record        *recorder
	// processes are the others that the test started and that made a call, with a pidfd each.
	processes map[int]int
	// broken is why no call can be judged.
	broken error
}

// newJudge makes the judge of a test that has not made a call yet.
func newJudge(command Command, surroundings *surroundings, main, pidfd int, streams *streams, result *Result) *judge {
	j := &judge{
		proc: streams.proc, root: -1, null: streams.null, output: streams.write, main: main, pidfd: pidfd,
		asRoot: command.AsRoot, rootly: surroundings.capabilities, limits: command,
		overlay: newOverlay(), record: &recorder{result: result}, processes: map[int]int{},
	}
	j.bindsLowPorts = j.fileGrants(unix.CAP_NET_BIND_SERVICE)
	// A pipe of this process.
	_ = unix.Fstat(j.output, &j.outputStat)
	return j
}

// errMemory is that a test cannot be judged.
func errMemory(err error) error {
	return fmt.Errorf("cannot read the memory of the test: %w; allow ptrace of own children (kernel.yama.ptrace_scope ≤ 1)", err)
}

// answer decides about a call.
func (j *judge) answer(s *syscall, c *call) answer {
	if !j.begin(c) {
		return fail(unix.ENOSYS)
	}
	c.name = s.name
	if s.arguments != nil {
		c.arguments = s.arguments(c.arguments)
	}
	return s.judge(j, c)
}

// begin gets to know the caller. The first call of all is the dynamic linker's, or else of the program's start: its limits are set then.
func (j *judge) begin(c *call) bool {
	if j.broken != nil {
		return false
	}
	if j.root < 0 {
		if err := j.meet(); err != nil {
			j.fault(c, err)
			return false
		}
	}
	j.know(c)
	return true
}

// know remembers a process, so that it can be ended with the test.
func (j *judge) know(c *call) {
	if c.pid == j.main {
		return
	}
	group := j.threadGroup(c.pid)
	if _, ok := j.processes[group]; ok || group == j.main {
		return
	}
	if len(j.processes) >= maxProcesses {
		return
	}
	pidfd, err := unix.PidfdOpen(group, 0)
	if err != nil {
		// Without pidfds (before Linux 5.3) calls are handed over by ptrace, which knows all processes.
		pidfd = -1
	}
	j.processes[group] = pidfd
}

// fault notes that calls cannot be judged, unless the caller was killed meanwhile.
func (j *judge) fault(c *call, err error) {
	if c.waits() {
		j.broken = err
	}
}

func (j *judge) meet() error {
	root, err := unix.Openat(j.proc, strconv.Itoa(j.main)+"/root", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open the root directory of the test: %w; allow ptrace of own children (kernel.yama.ptrace_scope ≤ 1)", err)
	}
	identity, err := j.readIdentity(j.main)
	if err != nil {
		_ = unix.Close(root)
		return err
	}
	j.root, j.identity = root, identity
	j.record.result.NoFile, err = setLimits(j.main, j.limits)
	return err
}

func (j *judge) close() {
	if j.root >= 0 {
		_ = unix.Close(j.root)
	}
	for _, pidfd := range j.processes {
		if pidfd >= 0 {
			_ = unix.Close(pidfd)
		}
	}
	j.sink.close()
}

// refuse is for what no configuration test needs.
func (j *judge) refuse(c *call) answer {
	j.record.refuse(c.name)
	return fail(unix.EPERM)
}

// fcntl grants locks that nobody else sees, and refuses leases and signals.
func (j *judge) fcntl(c *call) answer {
	switch c.arguments[1] {
	case unix.F_SETLK, unix.F_SETLKW, unix.F_OFD_SETLK, unix.F_OFD_SETLKW:
		return success()
	}
	return j.refuse(c)
}
