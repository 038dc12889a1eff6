package sandbox

import (
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// keepInherited keeps descriptors that this process was started with, such as the sockets of systemd, from all programs that it starts. Those that Go
// opened are kept anyway, and what is passed on purpose is not affected (os.ProcAttr.Files).
var keepInherited = sync.OnceFunc(func() {
	const first = 3
	if unix.CloseRange(first, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Before Linux 5.11.
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, descriptor := range descriptors {
		if fd, err := strconv.Atoi(descriptor.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
})
