package boot

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// init returns the host's process id of the container's systemd, 0 while there is none: the child of nspawn, which is the keeper's.
func (c *container) init() int {
	for _, manager := range childrenOf(c.keeper.Process.Pid) {
		for _, child := range childrenOf(manager) {
			name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(child), "comm"))
			// Before it becomes systemd it is still in the host's file system.
			if err == nil && string(name) == "systemd\n" {
				return child
			}
		}
	}
	return 0
}

func childrenOf(parent int) []int {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var found []int
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			// It has just ended.
			continue
		}
		if pid, of := parseStat(string(stat)); of == parent {
			found = append(found, pid)
		}
	}
	return found
}

// parseStat reads process and parent from the text of /proc/PID/stat (proc(5)); the name between them may hold spaces and parentheses.
func parseStat(stat string) (pid, parent int) {
	before, _, _ := strings.Cut(stat, " ")
	after := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(after) < 2 {
		return 0, 0
	}
	pid, pidErr := strconv.Atoi(before)
	parent, parentErr := strconv.Atoi(after[1])
	if pidErr != nil || parentErr != nil {
		return 0, 0
	}
	return pid, parent
}
