package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
)

// traced is a thread under ptrace.
type traced struct {
	// inside is set between the start and the end of a call.
	inside bool
	// replaced is set where the call was replaced: saved are the registers from before it.
	replaced bool
	saved    registers
	// result is what the replaced call returns, where it is not that of the call in its place.
	result *uint64
}

// noCall is the number of no system call.
const noCall = ^uint64(0)

// standardOutput is that of every test.
const standardOutput = 1

// call is a stop at the start or the end of a system call.
func (t *tracer) call(thread int, state *traced) error {
	err := t.callStop(thread, state)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

func (t *tracer) callStop(thread int, state *traced) error {
	state.inside = !state.inside
	if !state.inside && !state.replaced {
		return nil
	}
	r, err := readRegisters(thread)
	if err != nil {
		return err
	}
	if !state.inside {
		return state.finish(thread, &r)
	}
	native, err := r.isNative(thread)
	if err != nil {
		return err
	}
	if !native {
		return errors.New("cannot test with this nginx: it is a program of another architecture; use this machine's own")
	}
	if !r.entering() {
		return errors.New("cannot trace the configuration test: a system call was missed; report it")
	}
	number := r.number()
	if done, err := t.mute(thread, state, &r); done {
		return err
	}
	known := tables().calls[int32(number)]
	switch {
	case number == noCall:
		return nil
	case number > highestSyscall:
		return state.replace(thread, &r, noCall, r.arguments(), errnoResult(unix.ENOSYS))
	case known == nil:
		return nil
	}
	action := known.rule().Decide(r.arguments())
	if errno, is := action.IsErrno(); is {
		return state.replace(thread, &r, noCall, r.arguments(), errnoResult(errno))
	}
	if action != seccomp.Notify {
		return nil
	}
	t.result.Notifications++
	c := &call{pid: thread, arguments: r.arguments(), waits: func() bool { return true }}
	a := t.judge.answer(known, c)
	if t.judge.broken != nil {
		return &unusableError{t.judge.broken}
	}
	return t.send(thread, state, &r, c, a)
}

// send replaces a call by one that gives its caller the answer.
func (t *tracer) send(thread int, state *traced, r *registers, c *call, a answer) error {
	if a.kind == allowed {
		return nil
	}
	if a.kind == answered {
		return state.replace(thread, r, noCall, r.arguments(), errnoResult(a.errno))
	}
	var closeOnExec uint64
	if a.closeOnExec {
		closeOnExec = unix.O_CLOEXEC
	}
	switch a.substitute {
	case emptySocket:
		t.muted[descriptor{t.judge.threadGroup(thread), a.replaces}] = struct{}{}
		return state.replace(thread, r, noCall, r.arguments(), errnoResult(0))
	case readOnlyFile:
		_ = unix.Close(a.fd)
		again := c.arguments
		again[2] &^= unix.O_CREAT | unix.O_EXCL
		return state.replace(thread, r, unix.SYS_OPENAT, again, nil)
	case outputPipe:
		command := uint64(unix.F_DUPFD)
		if a.closeOnExec {
			command = unix.F_DUPFD_CLOEXEC
		}
		return state.replace(thread, r, unix.SYS_FCNTL, [6]uint64{standardOutput, command}, nil)
	}
	path := r.scratch()
	if err := writeMemory(thread, path, []byte("/dev/null\x00")); err != nil {
		return fmt.Errorf("cannot write the memory of the test: %w; allow ptrace of own children", err)
	}
	return state.replace(thread, r, unix.SYS_OPENAT, [6]uint64{atFDCWD, path, unix.O_RDWR | closeOnExec}, nil)
}

// descriptor is one of a process's.
type descriptor struct{ process, number int }

// mute answers for what is written to sockets that are not connected to syslog as the test believes.
func (t *tracer) mute(thread int, state *traced, r *registers) (done bool, err error) {
	if len(t.muted) == 0 {
		return false, nil
	}
	key := descriptor{t.judge.threadGroup(thread), int(int32(r.arguments()[0]))}
	if _, muted := t.muted[key]; !muted {
		return false, nil
	}
	switch r.number() {
	case unix.SYS_CLOSE:
		delete(t.muted, key)
	case unix.SYS_SENDTO, unix.SYS_WRITE:
		written := r.arguments()[2]
		return true, state.replace(thread, r, noCall, r.arguments(), &written)
	}
	return false, nil
}

// replace has the kernel do another call, whose result is result where that is not nil.
func (s *traced) replace(thread int, r *registers, number uint64, arguments [6]uint64, result *uint64) error {
	s.replaced, s.saved, s.result = true, *r, result
	if err := r.setNumber(thread, number); err != nil {
		return err
	}
	r.setArguments(arguments)
	return r.write(thread)
}

// finish gives the caller its registers back, which a system call leaves, with the result.
func (s *traced) finish(thread int, r *registers) error {
	result := r.result()
	if s.result != nil {
		result = *s.result
	}
	s.replaced = false
	s.saved.setResult(result)
	return s.saved.write(thread)
}

func errnoResult(errno unix.Errno) *uint64 {
	result := -uint64(errno)
	return &result
}
