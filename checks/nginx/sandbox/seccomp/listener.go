package seccomp

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listener receives the calls that a filter hands over, and answers them.
type Listener struct{ fd int }

// Call is a system call that waits for its answer (struct seccomp_notif). ID names it, PID is the calling thread.
type Call struct {
	ID        uint64
	PID       uint32
	Flags     uint32
	Number    int32
	Arch      uint32
	Pointer   uint64
	Arguments [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// addFD is struct seccomp_notif_addfd.
type addFD struct {
	id                                   uint64
	flags, source, destination, newFlags uint32
}

// Install puts the filter on the calling thread, which must be locked to its goroutine, and on all processes that it starts.
// Without CAP_SYS_ADMIN the thread must have no_new_privs set. The listener must be closed.
func Install(program []unix.SockFilter) (*Listener, error) {
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// With the second flag (Linux 5.19) no signal but a deadly one interrupts a call that is being answered.
	for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER} {
		fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&filter)))
		if errno == 0 {
			return &Listener{fd: int(fd)}, nil
		}
		if errno != unix.EINVAL {
			return nil, errno
		}
	}
	return nil, unix.EINVAL
}

// FD is the file descriptor to poll: POLLIN for a call, POLLHUP when no process with the filter lives.
func (l *Listener) FD() int { return l.fd }

// Close lets all calls that wait, and all later ones, fail with ENOSYS.
func (l *Listener) Close() error { return unix.Close(l.fd) }

// WakeOnSameCPU hands the processor over with each call and each answer, which are one after the other anyway (Linux 6.6).
func (l *Listener) WakeOnSameCPU() {
	// Where the kernel does not know it, it works without.
	_, _, _ = unix.RawSyscall(unix.SYS_IOCTL, uintptr(l.fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
}

// Receive takes the next call. It returns false where its process was killed meanwhile.
func (l *Listener) Receive(call *Call) (bool, error) {
	*call = Call{}
	switch _, errno := l.once(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(call)); errno {
	case 0:
		return true, nil
	case unix.ENOENT, unix.EINTR:
		return false, nil
	default:
		return false, errno
	}
}

// Valid tells whether the call still waits, so that its PID still names the caller.
func (l *Listener) Valid(id uint64) bool {
	_, err := l.control(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id))
	return err == nil
}

// Continue lets the kernel do the call.
func (l *Listener) Continue(id uint64) error {
	return l.respond(response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

// Answer ends the call with a value, or an error where it is not 0.
func (l *Listener) Answer(id uint64, value int64, errno unix.Errno) error {
	return l.respond(response{id: id, value: value, errno: -int32(errno)})
}

// respond knows no error for a caller that was killed meanwhile.
func (l *Listener) respond(r response) error {
	if _, err := l.control(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// Give puts a copy of fd into the calling process and returns its number there. With replace ≥ 0 it takes that number.
// The call still waits for its answer. The errors are the process's, such as EMFILE.
func (l *Listener) Give(id uint64, fd, replace int, closeOnExec bool) (int, error) {
	give := addFD{id: id, source: uint32(fd)}
	if replace >= 0 {
		give.flags, give.destination = unix.SECCOMP_ADDFD_FLAG_SETFD, uint32(replace)
	}
	if closeOnExec {
		give.newFlags = unix.O_CLOEXEC
	}
	number, err := l.control(unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&give))
	return int(number), err
}

// control asks again where a signal, such as those with which Go's runtime stops its threads, came while the listener was in use by a caller: the
// kernel waits for it interruptibly (kernel/seccomp.c), and has done nothing then.
func (l *Listener) control(request uintptr, argument unsafe.Pointer) (uintptr, error) {
	for {
		result, errno := l.once(request, argument)
		switch errno {
		case 0:
			return result, nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// once never blocks long enough to give the processor away for: the calls wait already when it is used.
func (l *Listener) once(request uintptr, argument unsafe.Pointer) (uintptr, unix.Errno) {
	result, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(l.fd), request, uintptr(argument))
	return result, errno
}
