package sandbox

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
	"zabbix-agent2-plugin-hosting/checks/thread"
)

// probeLimitMS is how long the one call of a probe may take, in milliseconds.
const probeLimitMS = 5000

// probeNotify puts the filter on a thread of this process, and has it open a file to write: it must get /dev/null.
func probeNotify() error {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open /dev/null: %w", err)
	}
	defer func() { _ = unix.Close(null) }()
	program := tables().program
	listeners, opened := make(chan *seccomp.Listener, 1), make(chan error, 1)
	thread.Start(func() {
		err := mayFilter()
		if err != nil {
			listeners <- nil
			opened <- fmt.Errorf("cannot set no_new_privs: %w", err)
			return
		}
		listener, err := seccomp.Install(program)
		if err != nil {
			listeners <- nil
			opened <- fmt.Errorf("cannot install a seccomp filter with a listener: %w", err)
			return
		}
		listeners <- listener
		opened <- openProbe(null)
	})
	listener := <-listeners
	if listener == nil {
		return <-opened
	}
	err = answerProbe(listener, null)
	// Whoever still waits gets ENOSYS now.
	return errors.Join(err, listener.Close(), <-opened)
}

// openProbe opens what does not exist, in a thread with the filter.
func openProbe(null int) error {
	fd, err := unix.Open("/dev/null/probe", unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot give a file descriptor to the caller of a system call: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	var got, want unix.Stat_t
	if err := errors.Join(unix.Fstat(fd, &got), unix.Fstat(null, &want)); err != nil {
		return err
	}
	if got.Ino != want.Ino || got.Dev != want.Dev {
		return errors.New("cannot give a file descriptor to the caller of a system call: it got another file")
	}
	return nil
}

func answerProbe(listener *seccomp.Listener, null int) error {
	fds := []unix.PollFd{{Fd: int32(listener.FD()), Events: unix.POLLIN}}
	err := retried(func() error { _, err := unix.Poll(fds, probeLimitMS); return err })
	if err != nil {
		return fmt.Errorf("cannot wait for a system call: %w", err)
	}
	if fds[0].Revents&unix.POLLIN == 0 {
		return errors.New("cannot wait for a system call: none came")
	}
	var call seccomp.Call
	if received, err := listener.Receive(&call); err != nil || !received {
		return errors.Join(errors.New("cannot receive a system call"), err)
	}
	path, err := readString(int(call.PID), call.Arguments[1])
	if err != nil || path != "/dev/null/probe" {
		return errors.Join(errors.New("cannot read the memory of the caller of a system call"), err)
	}
	fd, err := listener.Give(call.ID, null, -1, true)
	if err != nil {
		return fmt.Errorf("cannot give a file descriptor to the caller of a system call: %w", err)
	}
	return listener.Answer(call.ID, int64(fd), 0)
}

// probeTrace starts this program under ptrace(2) and ends it before its first instruction.
func probeTrace() error {
	streams, err := openStreams(context.Background())
	if err != nil {
		return err
	}
	defer streams.close()
	return thread.Run(func() error {
		pid, err := startTraced(Command{Binary: "/proc/self/exe"}, streams)
		if err == nil {
			err = errors.Join(probeMemory(pid), killTraced(pid))
		}
		return err
	})
}

// probeMemory reads and writes where the arguments of a system call would be.
func probeMemory(thread int) error {
	r, err := readRegisters(thread)
	if err != nil {
		return fmt.Errorf("cannot trace: %w", err)
	}
	var word [8]byte
	err = readMemory(thread, r.scratch(), word[:])
	if err == nil {
		err = writeMemory(thread, r.scratch(), word[:])
	}
	if err != nil {
		return fmt.Errorf("cannot read and write the memory of a traced process: %w", err)
	}
	return nil
}
