package apart

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is an ordinary user and group that own nothing.
const nobody = 65534

// AsNobody runs f as an ordinary user. Only one thread loses its rights, and it ends with f. Where this process has none, f just runs.
func AsNobody(tb testing.TB, f func()) {
	tb.Helper()

	if os.Geteuid() != 0 {
		f()

		return
	}

	done := make(chan struct{})

	go func() {
		defer close(done)

		// Never unlocked: the runtime ends the thread with the goroutine.
		runtime.LockOSThread()

		if unix.Gettid() == os.Getpid() {
			// The first thread never ends, and lends its user to the whole process in /proc. It waits for another one.
			AsNobody(tb, f)
			runtime.UnlockOSThread()

			return
		}

		_, _, groupErr := unix.RawSyscall(unix.SYS_SETRESGID, nobody, nobody, nobody)
		_, _, userErr := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody)

		if groupErr != 0 || userErr != 0 {
			tb.Errorf("cannot become user %d: %v, %v; run the test as root, or as that user", nobody, groupErr, userErr)

			return
		}

		f()
	}()

	<-done
}
