package listener

import (
	"bytes"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// ticksPerSecond is USER_HZ, in which the kernel tells times to programs on every architecture that Go knows.
const ticksPerSecond = 100

// textLimit bounds what a process says of itself, in bytes.
const textLimit = 512

// Process is one that holds a socket. What only root may know is empty for others.
type Process struct {
	PID  int `json:"pid"`
	PPID int `json:"ppid"`
	// StartedAt is the Unix time of the start, in seconds; 0 where it is unknown.
	StartedAt float64 `json:"started_at"`
	// Name is the kernel's short name, at most 15 bytes.
	Name string `json:"name"`
	// CommandLine has a space between the arguments, and '?' for control characters.
	CommandLine string  `json:"command_line"`
	Executable  string  `json:"executable,omitempty"`
	UID         *uint32 `json:"uid,omitempty"`
	User        string  `json:"user,omitempty"`
	Cgroup      string  `json:"cgroup,omitempty"`
	// Unit is the service or scope of systemd.
	Unit string `json:"unit,omitempty"`
	// StartTicks is starttime of proc_pid_stat(5). With the PID it identifies a process.
	StartTicks uint64 `json:"-"`
}

// ProcessReader reads processes and remembers what they share. It is for one caller at a time.
type ProcessReader struct {
	proc string
	// bootedAt is the Unix time of boot in seconds, 0 where it is unknown.
	bootedAt float64
	users    map[uint32]string
}

// NewProcessReader reads below the same path.
func (r *Reader) NewProcessReader() *ProcessReader {
	return &ProcessReader{proc: r.proc, bootedAt: readBootTime(r.proc), users: make(map[uint32]string)}
}

// readBootTime reads btime of proc_stat(5).
func readBootTime(proc string) float64 {
	data, err := procfile.Read(filepath.Join(proc, "stat"), nil)
	if err != nil {
		return 0
	}

	for line := range bytes.Lines(data) {
		if digits, found := bytes.CutPrefix(line, []byte("btime ")); found {
			seconds, _ := procfile.Uint(bytes.TrimSpace(digits))

			return float64(seconds)
		}
	}

	return 0
}

// Read reads one process. All of it is of the same process: the open directory stays that process's when its number is
// used again. It fails with unix.ENOENT or unix.ESRCH for one that has ended.
func (p *ProcessReader) Read(pid int) (Process, error) {
	dir, err := openProcess(p.proc, pid)
	if err != nil {
		return Process{}, err
	}
	defer func() { _ = unix.Close(dir) }()

	found, err := readStatIn(dir)
	if err != nil {
		return Process{}, err
	}

	if p.bootedAt > 0 {
		found.StartedAt = p.bootedAt + float64(found.StartTicks)/ticksPerSecond
	}

	// Each of these may be closed to this user.
	line, _ := readIn(dir, "cmdline")
	found.CommandLine = CommandLine(line)
	found.Executable = readLinkIn(dir, "exe")

	if status, err := readIn(dir, "status"); err == nil {
		p.takeOwner(&found, status)
	}

	if groups, err := readIn(dir, "cgroup"); err == nil {
		found.Cgroup = procfile.PrintableStart(cgroup.ParseProcess(groups), textLimit)
		found.Unit = cgroup.UnitOf(found.Cgroup)
	}

	return found, nil
}

// readStat reads only what /proc/PID/stat tells.
func readStat(proc string, pid int) (Process, error) {
	dir, err := openProcess(proc, pid)
	if err != nil {
		return Process{}, err
	}
	defer func() { _ = unix.Close(dir) }()

	return readStatIn(dir)
}

func readStatIn(dir int) (Process, error) {
	data, err := readIn(dir, "stat")
	if err != nil {
		return Process{}, err
	}

	p, ok := parseStat(data)
	if !ok {
		return Process{}, fmt.Errorf("cannot understand the state of a process: %s", procfile.Quote(data))
	}

	return p, nil
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The name may hold spaces and parentheses.
func parseStat(data []byte) (p Process, ok bool) {
	const (
		ppidColumn  = 1
		startColumn = 19
	)

	first, last := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if first < 0 || last < first {
		return p, false
	}

	fields := strings.Fields(string(data[last+1:]))
	if len(fields) <= startColumn {
		return p, false
	}

	pid, err1 := strconv.Atoi(strings.TrimSpace(string(data[:first])))
	ppid, err2 := strconv.Atoi(fields[ppidColumn])
	start, err3 := strconv.ParseUint(fields[startColumn], 10, 64)

	p = Process{PID: pid, PPID: ppid, StartTicks: start, Name: procfile.PrintableStart(string(data[first+1:last]), textLimit)}

	return p, errors.Join(err1, err2, err3) == nil
}

// CommandLine puts spaces between the arguments, each of which ends with a zero byte.
func CommandLine(data []byte) string {
	return procfile.PrintableStart(string(bytes.ReplaceAll(bytes.TrimRight(data, "\x00"), []byte{0}, []byte{' '})), textLimit)
}

// takeOwner reads the effective user id of /proc/PID/status.
func (p *ProcessReader) takeOwner(found *Process, status []byte) {
	for line := range bytes.Lines(status) {
		ids, ok := bytes.CutPrefix(line, []byte("Uid:"))
		if !ok {
			continue
		}

		fields := bytes.Fields(ids)
		if len(fields) < 2 {
			return
		}

		if id, ok := procfile.Uint(fields[1]); ok && id <= 1<<32-1 {
			found.UID = new(uint32(id))
			found.User = p.UserName(uint32(id))
		}

		return
	}
}

// UserName is empty for a user who has no name here.
func (p *ProcessReader) UserName(id uint32) string {
	name, known := p.users[id]
	if !known {
		if u, err := user.LookupId(strconv.FormatUint(uint64(id), 10)); err == nil {
			name = procfile.PrintableStart(u.Username, textLimit)
		}

		p.users[id] = name
	}

	return name
}
