package sandbox

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// watch drains the output of a traced test, and kills it when its time is over, while its tracer waits for its calls.
type watch struct {
	streams  *streams
	judge    *judge
	result   *Result
	deadline time.Time
	output   output
	samples  sampler
	stopped  chan struct{}

	mu sync.Mutex
	// ended is set when the test has, killed when it is to; cancelled when that is as nobody waits for it any more.
	ended, killed, cancelled bool
}

func startWatch(streams *streams, judge *judge, result *Result, deadline time.Time) *watch {
	w := &watch{streams: streams, judge: judge, result: result, deadline: deadline, stopped: make(chan struct{})}
	go w.run()
	return w
}

func (w *watch) run() {
	defer close(w.stopped)
	fds := []unix.PollFd{
		{Fd: int32(w.streams.pipe), Events: unix.POLLIN}, {Fd: int32(w.streams.wake), Events: unix.POLLIN}, {Fd: int32(w.streams.done), Events: unix.POLLIN},
	}
	for {
		timeout := -1
		if !w.dying() {
			timeout = int(max(0, time.Until(w.deadline))/time.Millisecond) + 1
		}
		n, err := unix.Poll(fds, timeout)
		switch {
		case n == 0 && err == nil && !w.dying():
			w.result.TimedOut = true
			w.kill()
		case n <= 0:
		case fds[2].Revents != 0:
			w.output.drain(w.streams.pipe)
			return
		case fds[0].Revents != 0:
			w.output.drain(w.streams.pipe)
			w.samples.sample(w.judge, w.result)
		case fds[1].Revents != 0:
			w.cancelled = true
			fds[1].Fd = -1
			w.kill()
		}
	}
}

// end returns when the output is complete.
func (w *watch) end() {
	signalEvent(w.streams.done)
	<-w.stopped
	w.result.Output, w.result.OutputOmittedBytes = w.output.text()
}

// kill ends the test and its process group, as long as these numbers are theirs.
func (w *watch) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		_ = unix.Kill(-w.judge.main, unix.SIGKILL)
		_ = unix.Kill(w.judge.main, unix.SIGKILL)
	}
	w.killed = true
}

func (w *watch) mainEnded() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// dying tells whether everything that the test started is to be killed.
func (w *watch) dying() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended || w.killed
}
