package agent

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

const largeFrameBytes = 1 << 20

// releaseLarge gives the memory of a rare large frame back to the host at once: a monitoring process must not keep for
// itself what it needed for one answer.
func releaseLarge(f frame) {
	if len(f) >= largeFrameBytes {
		go debug.FreeOSMemory()
	}
}

// releaseStartup unmaps the code and constants that only the start of the process touched, which are most of what the link holds: it
// carries every check's packages and runs none. What is needed again comes back from the page cache.
func releaseStartup() {
	debug.FreeOSMemory()

	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer smaps.Close()

	for _, m := range fileMappings(smaps) {
		// An error leaves the pages where they are.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

type mapping struct{ start, end uintptr }

// fileMappings returns the unwritable mappings of files, in a process's smaps (proc(5)), that hold nothing but what the file
// has. Anonymous pages in one have been written before it was protected, and would be lost.
func fileMappings(smaps io.Reader) []mapping {
	var (
		found   []mapping
		current mapping
		isFile  bool
	)

	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		var (
			m                    mapping
			permissions          string
			offset, device, path string
			inode                uint64
		)

		fields := strings.Fields(lines.Text())

		switch {
		case len(fields) > 2 && !strings.HasSuffix(fields[0], ":"):
			// A mapping without a file has no path, and then the scan ends early.
			_, err := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %d %s", &m.start, &m.end, &permissions, &offset, &device, &inode, &path)
			current = m
			isFile = err == nil && strings.HasPrefix(permissions, "r-") && strings.HasPrefix(path, "/") && m.end > m.start
		case isFile && len(fields) > 1 && fields[0] == "Anonymous:" && fields[1] == "0":
			found = append(found, current)
		}
	}

	return found
}
