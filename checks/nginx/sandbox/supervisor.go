package sandbox

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
)

// supervisor answers the calls of one test until it ends.
type supervisor struct {
	*started
	streams  *streams
	judge    *judge
	output   output
	result   *Result
	deadline time.Time
	// killed is set once the test is to end: its calls are not answered any more.
	killed, cancelled bool
	samples           sampler
}

func newSupervisor(command Command, surroundings *surroundings, test *started, streams *streams) *supervisor {
	result := &Result{Technique: TechniqueNotify}
	return &supervisor{started: test, streams: streams, result: result, judge: newJudge(command, surroundings, test.pid, test.pidfd, streams, result)}
}

func (s *supervisor) close() {
	// The test has been waited for, or is killed by this thread's end.
	select {
	case <-s.release:
	default:
		close(s.release)
	}
	_ = s.listener.Close()
	_ = unix.Close(s.pidfd)
	s.judge.close()
}

// The order of the descriptors in poll.
const (
	pollCalls = iota
	pollExit
	pollOutput
	pollWake
	pollCount
)

// run answers until the test has ended and everything that it started is gone.
func (s *supervisor) run() error {
	s.listener.WakeOnSameCPU()
	fds := [pollCount]unix.PollFd{
		pollCalls: {Fd: int32(s.listener.FD()), Events: unix.POLLIN}, pollExit: {Fd: int32(s.pidfd), Events: unix.POLLIN},
		pollOutput: {Fd: int32(s.streams.pipe), Events: unix.POLLIN}, pollWake: {Fd: int32(s.streams.wake), Events: unix.POLLIN},
	}
	var failure error
	for {
		if err := s.poll(fds[:]); err != nil {
			failure = fmt.Errorf("cannot wait for a configuration test: %w", err)
			s.kill()
			break
		}
		if fds[pollOutput].Revents&unix.POLLIN != 0 {
			s.output.drain(s.streams.pipe)
			s.samples.sample(s.judge, s.result)
		}
		if fds[pollCalls].Revents&unix.POLLIN != 0 && !s.killed {
			if failure = s.answer(); failure != nil {
				s.kill()
			}
		}
		if fds[pollWake].Revents != 0 && !s.killed {
			s.cancelled = true
			s.kill()
		}
		if fds[pollExit].Revents != 0 {
			break
		}
		if s.killed {
			fds[pollCalls].Fd, fds[pollWake].Fd = -1, -1
		}
	}
	return errors.Join(failure, s.end())
}

// poll waits for the next event, or kills the test when its time is over.
func (s *supervisor) poll(fds []unix.PollFd) error {
	timeout := -1
	if !s.killed {
		left := time.Until(s.deadline)
		if left <= 0 {
			s.result.TimedOut = true
			s.kill()
			fds[pollCalls].Fd, fds[pollWake].Fd = -1, -1
		} else {
			timeout = int(left/time.Millisecond) + 1
		}
	}
	for i := range fds {
		fds[i].Revents = 0
	}
	_, err := unix.Poll(fds, timeout)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	return err
}

// kill ends the test and its process group.
func (s *supervisor) kill() {
	s.killed = true
	s.judge.killAll()
	// The pidfd names the process also when it has left its group, and after its end.
	_ = unix.PidfdSendSignal(s.pidfd, unix.SIGKILL, nil, 0)
}

// answer takes one call and answers it.
func (s *supervisor) answer() error {
	var request seccomp.Call
	received, err := s.listener.Receive(&request)
	if err != nil || !received {
		return err
	}
	s.result.Notifications++
	known := tables().calls[request.Number]
	if known == nil {
		return s.listener.Answer(request.ID, 0, unix.ENOSYS)
	}
	c := &call{pid: int(request.PID), arguments: request.Arguments, waits: func() bool { return s.listener.Valid(request.ID) }}
	a := s.judge.answer(known, c)
	if s.judge.broken != nil {
		return &unusableError{s.judge.broken}
	}
	return s.send(request.ID, a)
}

func (s *supervisor) send(id uint64, a answer) error {
	if a.kind == given && a.substitute == readOnlyFile {
		defer func() { _ = unix.Close(a.fd) }()
	}
	switch a.kind {
	case allowed:
		return s.listener.Continue(id)
	case given:
		replaces := -1
		if a.substitute == emptySocket {
			replaces = a.replaces
		}
		number, err := s.listener.Give(id, a.fd, replaces, a.closeOnExec)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if a.substitute == emptySocket {
			number = 0
		}
		return s.listener.Answer(id, int64(number), errnoOf(err))
	}
	return s.listener.Answer(id, 0, a.errno)
}

// end reaps the test, with what it started, and completes the result.
func (s *supervisor) end() error {
	status, err := s.judge.reap(s.result)
	if err != nil {
		return err
	}
	s.output.drain(s.streams.pipe)
	s.result.Output, s.result.OutputOmittedBytes = s.output.text()
	complete(s.result, status)
	// The thread that started the test has the filter, too.
	close(s.release)
	s.result.Survivors = !s.judge.end(s.listener)
	return nil
}
