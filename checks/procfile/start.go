package procfile

import "bytes"

// StartTicks is the starttime of a /proc/PID/stat (proc_pid_stat(5)), which with the number names a process for good. The
// name in parentheses may hold anything.
func StartTicks(stat []byte) (ticks uint64, ok bool) {
	// The fields are counted from the state, which is the third.
	const startField = 19

	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, false
	}

	fields := bytes.Fields(stat[end+1:])
	if len(fields) <= startField {
		return 0, false
	}

	return Uint(fields[startField])
}
