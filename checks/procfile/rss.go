package procfile

import (
	"fmt"
	"os"
)

// RSS returns a process's resident memory in bytes from the second field of /proc/PID/statm (proc_pid_statm(5)), 0 if it cannot be
// read. It always asks the /proc of this process's own namespace, wherever the host's is mounted.
func RSS(pid int) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}

	var size, resident uint64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0
	}

	return resident * uint64(os.Getpagesize())
}
