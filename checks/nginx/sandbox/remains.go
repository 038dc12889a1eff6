package sandbox

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
)

const (
	// huntRounds is how often processes that are left are looked for: while they are killed they may start others.
	huntRounds = 100
	huntPause  = 10 * time.Millisecond
)

// end kills what the test left behind and tells whether nothing is left: no process has the filter any more (seccomp_unotify(2), POLLHUP).
// Processes that were not seen before may still make their first call. It is never answered.
func (j *judge) end(listener *seccomp.Listener) bool {
	for range huntRounds {
		fds := []unix.PollFd{{Fd: int32(listener.FD()), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, int(huntPause/time.Millisecond))
		if err == nil && fds[0].Revents&unix.POLLIN != 0 {
			var request seccomp.Call
			if received, err := listener.Receive(&request); err == nil && received {
				j.know(&call{pid: int(request.PID)})
			}
		} else if err == nil && fds[0].Revents&unix.POLLHUP != 0 {
			return true
		}
		for _, pidfd := range j.processes {
			_ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		}
		for _, pid := range j.remains() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	return false
}

// remains are the living members of the test's session, and of those that processes which were seen have made. A session's number is no other's while
// it has members. That they have one filter more than this process guards against one that was given away since.
func (j *judge) remains() (pids []int) {
	directory, err := readNames(j.proc)
	if err != nil {
		return nil
	}
	own, _ := j.filters("self")
	for _, name := range directory {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := j.readProc(name + "/stat")
		if err != nil {
			continue
		}
		session, alive := parseSession(stat)
		_, seen := j.processes[session]
		if !alive || session != j.main && !seen {
			continue
		}
		if filters, ok := j.filters(name); !ok || filters > own {
			pids = append(pids, pid)
		}
	}
	return pids
}

// filters is how many seccomp filters a process has (Linux 5.10).
func (j *judge) filters(process string) (count int, told bool) {
	value, ok := j.statusLine(process, "Seccomp_filters:")
	if !ok {
		return 0, false
	}
	count, err := strconv.Atoi(value)
	return count, err == nil
}

// parseSession reads /proc/PID/stat (proc_pid_stat(5)): the name in parentheses may hold anything.
func parseSession(stat string) (session int, alive bool) {
	const state, sessionField = 0, 3
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, false
	}
	fields := strings.Fields(stat[end+1:])
	if len(fields) <= sessionField {
		return 0, false
	}
	session, err := strconv.Atoi(fields[sessionField])
	return session, err == nil && fields[state] != "Z" && fields[state] != "X"
}

// statusLine is a value of /proc/PID/status.
func (j *judge) statusLine(process, name string) (string, bool) {
	status, err := j.readProc(process + "/status")
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}
