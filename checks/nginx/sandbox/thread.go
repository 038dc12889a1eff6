package sandbox

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onOwnThread runs work on a thread that is used for nothing before and ends with it, so that it may change the thread's namespaces and filters.
// The runtime starts no other thread from a locked one.
func onOwnThread(work func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			work()
			// Not unlocked: the thread ends here.
			return
		}
		// The first thread cannot end before the process, and is the one that /proc/PID shows. While it is held here, the next goroutine gets another.
		defer runtime.UnlockOSThread()
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			work()
		}()
		<-done
	}()
}
