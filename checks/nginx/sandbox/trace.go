package sandbox

import (
	"errors"
	"fmt"
	gosyscall "syscall"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

// traceOptions: stops in system calls are told from signals, whoever is started is traced too, and all are killed with the tracer.
const traceOptions = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

// testTrace runs a test whose system calls the thread that started it answers by ptrace(2).
func testTrace(command Command, surroundings *surroundings, streams *streams, begun time.Time) (result *Result, cancelled bool, err error) {
	t := &tracer{command: command, streams: streams, result: &Result{Technique: TechniqueTrace}, threads: map[int]*traced{}, muted: map[descriptor]struct{}{}}
	if err := thread.Run(func() error { return t.run(surroundings, begun) }); err != nil {
		return nil, false, err
	}
	return t.result, t.watch.cancelled, nil
}

// tracer answers the calls of one test until it ends. Only one thread may trace a process.
type tracer struct {
	command Command
	streams *streams
	judge   *judge
	watch   *watch
	result  *Result
	threads map[int]*traced
	// muted are the descriptors of sockets whose connection to syslog was not made.
	muted  map[descriptor]struct{}
	status unix.WaitStatus
}

func (t *tracer) run(surroundings *surroundings, begun time.Time) error {
	if err := surroundings.enter(); err != nil {
		return err
	}
	if err := confine(surroundings.capabilities); err != nil {
		return err
	}
	pid, err := startTraced(t.command, t.streams)
	if err != nil {
		return err
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		pidfd = -1
	} else {
		defer func() { _ = unix.Close(pidfd) }()
	}
	t.judge = newJudge(t.command, surroundings, pid, pidfd, t.streams, t.result)
	defer t.judge.close()
	t.threads[pid] = &traced{}
	t.watch = startWatch(t.streams, t.judge, t.result, begun.Add(t.command.timeout()))
	if err = unix.PtraceSyscall(pid, 0); err != nil {
		err = errors.Join(fmt.Errorf("cannot let the configuration test go on: %w", err), killTraced(pid))
	} else {
		err = t.trace()
	}
	t.watch.end()
	complete(t.result, t.status)
	return err
}

// startTraced starts nginx and returns when it has not yet run any instruction of its program.
func startTraced(command Command, streams *streams) (int, error) {
	pid, _, err := fork(command, streams, true)
	if errors.Is(err, gosyscall.EPERM) || errors.Is(err, gosyscall.ENOSYS) {
		return 0, &unusableError{fmt.Errorf("cannot trace: %w", err)}
	}
	if err != nil {
		return 0, err
	}
	var status unix.WaitStatus
	if err = retried(func() error { _, err := unix.Wait4(pid, &status, unix.WALL, nil); return err }); err != nil {
		return 0, fmt.Errorf("cannot wait for a configuration test: %w; let nobody else wait for this process's children", err)
	}
	if !status.Stopped() {
		return 0, &unusableError{errors.New("cannot trace: the test ended at its start")}
	}
	if err = unix.PtraceSetOptions(pid, traceOptions); err != nil {
		return 0, errors.Join(&unusableError{fmt.Errorf("cannot trace: %w", err)}, killTraced(pid))
	}
	return pid, nil
}

func killTraced(pid int) error {
	_ = unix.Kill(pid, unix.SIGKILL)
	var status unix.WaitStatus
	for !status.Exited() && !status.Signaled() {
		if err := retried(func() error { _, err := unix.Wait4(pid, &status, unix.WALL, nil); return err }); err != nil {
			return err
		}
	}
	return nil
}

func retried(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// trace answers until no traced process is left.
func (t *tracer) trace() error {
	var failure error
	for len(t.threads) > 0 {
		var status unix.WaitStatus
		var usage unix.Rusage
		thread, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, &usage)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return errors.Join(failure, fmt.Errorf("cannot wait for a configuration test: %w; let nobody else wait for this process's children", err))
		}
		if err := t.event(thread, status, &usage); err != nil && failure == nil {
			failure = err
			t.watch.kill()
		}
	}
	return failure
}

// event is a thread's stop or end.
func (t *tracer) event(thread int, status unix.WaitStatus, usage *unix.Rusage) error {
	if status.Exited() || status.Signaled() {
		delete(t.threads, thread)
		if thread == t.judge.main {
			t.watch.mainEnded()
			t.status = status
			t.result.CPUS = seconds(usage.Utime) + seconds(usage.Stime)
		}
		if t.watch.dying() {
			t.killThreads()
		}
		return nil
	}
	state, known := t.threads[thread]
	if !known {
		state = &traced{}
		t.threads[thread] = state
	}
	if t.watch.dying() {
		t.killThreads()
	}
	const callStop = unix.SIGTRAP | 0x80
	deliver := 0
	switch signal := status.StopSignal(); {
	case signal == callStop:
		if err := t.call(thread, state); err != nil {
			return err
		}
	case status.TrapCause() == unix.PTRACE_EVENT_EXEC:
		// Whichever thread called it, the first one comes back from it.
		*state = traced{inside: true}
	case status.TrapCause() > 0, !known && signal == unix.SIGSTOP:
		// The report of a new process, and that process's first stop.
	default:
		deliver = int(signal)
	}
	// A thread that was killed meanwhile is reported next.
	if err := unix.PtraceSyscall(thread, deliver); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("cannot let the configuration test go on: %w", err)
	}
	return nil
}

func (t *tracer) killThreads() {
	for thread := range t.threads {
		// They are this thread's tracees until it has waited for them, so that the numbers are theirs.
		_ = unix.Kill(thread, unix.SIGKILL)
	}
}
