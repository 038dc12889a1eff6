package sandbox

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// identity is as whom the test runs.
type identity struct {
	uid, gid     uint32
	capabilities uint64
	umask        uint32
}

func (i identity) can(capability int) bool { return i.capabilities>>capability&1 == 1 }

func (j *judge) readIdentity(pid int) (identity, error) {
	status, err := j.readProc(strconv.Itoa(pid) + "/status")
	if err != nil {
		return identity{}, fmt.Errorf("cannot read as whom the test runs: %w; mount /proc", err)
	}
	i, err := parseIdentity(status)
	if err != nil {
		return identity{}, fmt.Errorf("cannot read as whom the test runs: %w; report it, as this kernel's /proc/PID/status is unknown", err)
	}
	return i, nil
}

// parseIdentity reads /proc/PID/status (proc_pid_status(5)).
func parseIdentity(status string) (i identity, err error) {
	i.umask = 0o022
	read := func(text string, base, bits int) uint64 {
		number, failed := strconv.ParseUint(text, base, bits)
		if failed != nil {
			err = failed
		}
		return number
	}
	found := 0
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		switch {
		case name == "Uid" && len(fields) == 4:
			i.uid = uint32(read(fields[1], 10, 32))
			found++
		case name == "Gid" && len(fields) == 4:
			i.gid = uint32(read(fields[1], 10, 32))
			found++
		case name == "CapEff" && len(fields) == 1:
			i.capabilities = read(fields[0], 16, 64)
			found++
		case name == "Umask" && len(fields) == 1:
			i.umask = uint32(read(fields[0], 8, 32))
		}
	}
	if err == nil && found != 3 {
		err = fmt.Errorf("%d of 3 lines are missing", 3-found)
	}
	return i, err
}

// threadGroup is the process of a thread, or the number itself where it is gone.
func (j *judge) threadGroup(thread int) int {
	if thread == j.main {
		return thread
	}
	value, _ := j.statusLine(strconv.Itoa(thread), "Tgid:")
	if group, err := strconv.Atoi(value); err == nil {
		return group
	}
	return thread
}

// readProc reads a file below /proc.
func (j *judge) readProc(path string) (string, error) { return readAt(j.proc, path) }

// procFileLimit bounds what is read of one file: /proc/net/unix is long on some hosts.
const procFileLimit = 16 << 20

func readAt(dir int, path string) (string, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	file := os.NewFile(uintptr(fd), path)
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, procFileLimit))
	return string(text), err
}

// readNames lists a directory that is open.
func readNames(dir int) ([]string, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), ".")
	defer func() { _ = file.Close() }()
	return file.Readdirnames(-1)
}
