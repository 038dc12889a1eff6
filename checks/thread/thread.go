// Package thread runs work on threads of their own, whose namespaces, root directory, rights and filters may be changed.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Start runs work on a thread that is used for nothing before and ends with it, and returns at once. The runtime starts no other thread from a locked one.
func Start(work func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			work()
			// Not unlocked: the thread ends here.
			return
		}
		// The first thread cannot end before the process, and is the one that /proc/PID shows. While it is held here, the next goroutine gets another.
		defer runtime.UnlockOSThread()
		Run(func() error { work(); return nil })
	}()
}

// Run is Start and waits for the end of work, whose error it returns. A panic of work is the caller's.
func Run(work func() error) error {
	type outcome struct {
		err      error
		panicked any
	}
	ended := make(chan outcome)
	Start(func() {
		var err error
		defer func() { ended <- outcome{err, recover()} }()
		err = work()
	})
	o := <-ended
	if o.panicked != nil {
		panic(o.panicked)
	}
	return o.err
}
