package sandbox

import (
	"errors"
	"fmt"
	"sync"
	gosyscall "syscall"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
	"zabbix-agent2-plugin-hosting/checks/thread"
)

// started is a test under a filter: it waits in its first system call that the filter hands over.
type started struct {
	pid, pidfd int
	listener   *seccomp.Listener
	// release ends the thread that started it. The test is killed by the kernel when that thread ends before it (PR_SET_PDEATHSIG).
	release chan struct{}
}

// tables are made once: the calls by their number, and the filter.
var tables = sync.OnceValue(func() (t struct {
	calls   map[int32]*syscall
	program []unix.SockFilter
}) {
	t.calls = map[int32]*syscall{}
	filter := seccomp.Filter{Arch: auditArch, Highest: highestSyscall}
	for _, s := range syscalls() {
		t.calls[int32(s.number)] = &s
		filter.Rules = append(filter.Rules, s.rule())
	}
	t.program = filter.Assemble()
	return t
})

// testNotify runs a test whose system calls this process answers.
func testNotify(command Command, surroundings *surroundings, streams *streams, begun time.Time) (result *Result, cancelled bool, err error) {
	test, err := startFiltered(command, surroundings, streams)
	if err != nil {
		return nil, false, err
	}
	s := newSupervisor(command, surroundings, test, streams)
	defer s.close()
	s.deadline = begun.Add(command.timeout())
	err = inside(surroundings, s.run)
	return s.result, s.cancelled, err
}

// inside runs work where addresses are those of the test, and permissions no more than its own.
func inside(surroundings *surroundings, work func() error) error {
	if surroundings.network < 0 && !surroundings.lowered {
		return work()
	}
	return thread.Run(func() error {
		err := surroundings.enterNetwork()
		if err == nil {
			err = keepCapabilities(surroundings.capabilities)
		}
		return errors.Join(err, work())
	})
}

// startFiltered starts nginx from a thread of its own that has the filter.
func startFiltered(command Command, surroundings *surroundings, streams *streams) (*started, error) {
	type outcome struct {
		test *started
		err  error
	}
	begun := make(chan outcome)
	thread.Start(func() {
		test := &started{pidfd: -1, release: make(chan struct{})}
		err := test.start(command, surroundings, streams)
		begun <- outcome{test, err}
		if err == nil {
			<-test.release
		}
	})
	o := <-begun
	return o.test, o.err
}

func (t *started) start(command Command, surroundings *surroundings, streams *streams) error {
	program := tables().program
	if err := surroundings.enter(); err != nil {
		return err
	}
	if err := mayFilter(); err != nil {
		return &unusableError{fmt.Errorf("cannot set no_new_privs: %w", err)}
	}
	listener, err := seccomp.Install(program)
	if err != nil {
		return &unusableError{fmt.Errorf("cannot install a seccomp filter with a listener: %w", err)}
	}
	// From here this thread makes no call that the filter hands over.
	t.listener = listener
	if err = confine(surroundings.capabilities); err == nil {
		t.pid, t.pidfd, err = fork(command, streams, false)
	}
	if err == nil && t.pidfd < 0 {
		_ = unix.Kill(t.pid, unix.SIGKILL)
		_, _ = unix.Wait4(t.pid, nil, 0, nil)
		err = &unusableError{errors.New("cannot watch a process: the kernel has no pidfds")}
	}
	if err != nil {
		_ = listener.Close()
	}
	return err
}

// fork starts nginx: a session of its own, no input, both output streams in one pipe, killed with the calling thread.
func fork(command Command, streams *streams, traced bool) (pid, pidfd int, err error) {
	pidfd = -1
	attributes := &gosyscall.ProcAttr{
		Dir: "/", Env: command.environment(), Files: []uintptr{uintptr(streams.null), uintptr(streams.write), uintptr(streams.write)},
		Sys: &gosyscall.SysProcAttr{Setsid: true, Pdeathsig: gosyscall.SIGKILL, PidFD: &pidfd, Ptrace: traced},
	}
	if traced {
		attributes.Sys.PidFD = nil
	}
	pid, err = gosyscall.ForkExec(command.Binary, command.arguments(), attributes)
	if err != nil {
		return 0, -1, fmt.Errorf("cannot run %s: %w; check that the file is an executable of this machine", command.Binary, err)
	}
	return pid, pidfd, nil
}
