package instance

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// ticksPerSecond is what the kernel counts in towards programs, on every architecture of today (USER_HZ).
	ticksPerSecond = 100
	maxProcFile    = 64 << 10
	// maxMountinfo bounds a file with a line for every mount of a host full of containers.
	maxMountinfo = 4 << 20
)

// proc reads /proc/PID (proc(5)).
type proc struct {
	root string
	// bootedAt is the time of the boot on the clock that files have their times from.
	bootedAt time.Time
}

// bootTime is the difference of the two clocks. The btime of /proc/stat has only whole seconds, so that a
// configuration written in the second of a start would look newer than it; and a container may be shown another one.
func bootTime() time.Time {
	var boot unix.Timespec

	// Cannot fail on Linux.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot)

	return time.Now().Add(-time.Duration(boot.Nano()))
}

func (p proc) path(pid int, name string) string {
	return filepath.Join(p.root, strconv.Itoa(pid), name)
}

func (p proc) read(pid int, name string, limit int64) ([]byte, error) {
	return readLimited(p.path(pid, name), limit)
}

func readLimited(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()

	return io.ReadAll(io.LimitReader(file, limit))
}

// stat is what this package needs of /proc/PID/stat.
type stat struct {
	comm   string
	parent int
	ticks  uint64
	// room is how many bytes the arguments and the environment took at the start, where a title is written; 0 for a
	// caller without ptrace rights.
	room uint64
}

var errStat = errors.New("not a stat file")

// The fields of stat, counted from the state, which is the third.
const (
	statParent      = 1
	statStart       = 19
	statArgStart    = 45
	statEnvEnd      = 48
	statFieldsAtAll = 20
)

func parseStat(data []byte) (stat, error) {
	// A name may hold blanks and parentheses.
	first, last := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if first < 0 || last < first {
		return stat{}, errStat
	}

	fields := bytes.Fields(data[last+1:])
	if len(fields) < statFieldsAtAll {
		return stat{}, errStat
	}

	s := stat{comm: string(data[first+1 : last])}
	parent, parentOK := procfile.Uint(fields[statParent])

	var startOK bool

	s.parent = int(parent)
	s.ticks, startOK = procfile.Uint(fields[statStart])

	if !parentOK || !startOK {
		return stat{}, errStat
	}

	if len(fields) > statEnvEnd {
		start, _ := procfile.Uint(fields[statArgStart])

		if end, _ := procfile.Uint(fields[statEnvEnd]); start > 0 && end > start {
			s.room = end - start
		}
	}

	return s, nil
}

func (p proc) stat(pid int) (stat, error) {
	data, err := p.read(pid, "stat", maxProcFile)
	if err != nil {
		return stat{}, err
	}

	return parseStat(data)
}

func (p proc) startedAt(ticks uint64) time.Time {
	// More than a century is no time since boot.
	ticks = min(ticks, ticksPerSecond*100*366*24*3600)

	return p.bootedAt.Add(time.Duration(ticks) * (time.Second / ticksPerSecond))
}

// openFiles is the soft limit of "Max open files            1024                 524288               files".
func (p proc) openFiles(pid int) uint64 {
	data, err := p.read(pid, "limits", maxProcFile)
	if err != nil {
		return 0
	}

	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("Max open files")); ok {
			if limits := bytes.Fields(rest); len(limits) > 0 {
				limit, _ := procfile.Uint(limits[0])

				return limit
			}
		}
	}

	return 0
}

// namespace compares "mnt:[4026531840]" with this process's own.
func (p proc) namespace(pid int, name string) Namespace {
	theirs, err := os.Readlink(p.path(pid, "ns/"+name))
	if err != nil {
		return Namespace{}
	}

	ours, err := os.Readlink(filepath.Join(p.root, "self", "ns", name))
	_, number, _ := strings.Cut(strings.TrimSuffix(theirs, "]"), "[")
	id, ok := procfile.Uint([]byte(number))

	return Namespace{ID: id, Known: ok && err == nil, Differs: ok && err == nil && theirs != ours}
}

// executable is the path of a process's program in its own root directory.
func (p proc) executable(pid int, root Root) (path string, deleted bool, err error) {
	path, err = os.Readlink(p.path(pid, "exe"))
	if err != nil {
		return "", false, err
	}

	path, deleted = strings.CutSuffix(path, " (deleted)")
	if inside, ok := strings.CutPrefix(path, root.Dir); ok && root.Differs && root.Dir != "/" {
		path = inside
	}

	return path, deleted, nil
}
