package zabbixagent

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// process is one line of the process table. A pid with its start time is never used twice.
type process struct {
	pid, parent int
	start       string
}

// processes reads the process table; see proc(5) for stat. Zombies are not in it.
func processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []process
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if p, ok := readProcess(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

func readProcess(pid int) (process, bool) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	return parseStat(pid, string(stat))
}

// parseStat reads state, parent and start time, the fields 3, 4 and 22; the name before them may hold spaces and parentheses.
func parseStat(pid int, stat string) (process, bool) {
	end := strings.LastIndexByte(stat, ')')
	fields := strings.Fields(stat[end+1:])
	if end < 0 || len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	return process{pid: pid, parent: parent, start: fields[19]}, err == nil
}

// alive tells whether this very process runs.
func (p process) alive() bool {
	now, ok := readProcess(p.pid)
	return ok && now.start == p.start
}

func anyAlive(all []process) bool { return slices.ContainsFunc(all, process.alive) }

// runs tells whether the process was started with program in its arguments, be it as an interpreter's.
func (p process) runs(program string) bool {
	arguments, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "cmdline"))
	return err == nil && slices.ContainsFunc(bytes.Split(arguments, []byte{0}), func(argument []byte) bool {
		return string(argument) == program
	})
}

func descendants(all []process, pid int) []process {
	var below []process
	for _, p := range all {
		if p.parent == pid {
			below = append(below, p)
			below = append(below, descendants(all, p.pid)...)
		}
	}
	return below
}
