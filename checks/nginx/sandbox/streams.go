package sandbox

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// streams are the descriptors that a test and its supervisor share.
type streams struct {
	// null is /dev/null, for reading and writing; pipe and write are the ends of the standard streams' pipe; proc is /proc.
	null, pipe, write, proc int
	// wake becomes readable when the context ends, done when whoever waits for the test is to stop.
	wake, done int
	stop       func() bool
}

func openStreams(ctx context.Context) (s *streams, err error) {
	s = &streams{null: -1, pipe: -1, write: -1, proc: -1, wake: -1, done: -1, stop: func() bool { return true }}
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("cannot prepare a configuration test: %w; raise the limit of open files, and mount /dev and /proc", err)
		}
	}()
	if s.null, err = unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return s, err
	}
	if s.proc, err = unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return s, err
	}
	var ends [2]int
	if err = unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return s, err
	}
	s.pipe, s.write = ends[0], ends[1]
	if err = unix.SetNonblock(s.pipe, true); err != nil {
		return s, err
	}
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return s, err
	}
	if s.done, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return s, err
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		signalEvent(s.wake)
	})
	s.stop = func() bool {
		if stop() {
			return true
		}
		<-woken
		return false
	}
	return s, nil
}

// close waits for whoever might still write to the descriptors.
func (s *streams) close() {
	s.stop()
	for _, fd := range []int{s.null, s.pipe, s.write, s.proc, s.wake, s.done} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// signalEvent makes an eventfd readable.
func signalEvent(fd int) {
	// It takes numbers until they add up to 2^64.
	_, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 1})
}
