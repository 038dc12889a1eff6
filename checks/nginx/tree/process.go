package tree

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// statSize holds any /proc/PID/stat.
const statSize = 4 << 10

// ErrEnded is that a process has ended.
var ErrEnded = errors.New("it has ended")

// ended is ErrEnded for what the kernel says of such a process, and other errors as they are.
func ended(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return ErrEnded
	}

	return err
}

// OpenProcess opens the directory of a process below proc, on a real system "/proc", as an O_PATH descriptor: it stays that
// process's when the number is used again. StartTicks tells one that took the number over before; 0 trusts the number.
func OpenProcess(proc string, pid int, startTicks uint64) (process int, err error) {
	process, err = unix.Open(filepath.Join(proc, strconv.Itoa(pid)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, ended(err)
	}

	if startTicks == 0 {
		return process, nil
	}

	ticks, err := ticksOf(process)
	if err == nil && ticks != startTicks {
		err = fmt.Errorf("%w, and another has its number", ErrEnded)
	}

	if err != nil {
		_ = unix.Close(process)

		return -1, ended(err)
	}

	return process, nil
}

func ticksOf(process int) (uint64, error) {
	fd, err := unix.Openat(process, "stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()

	var text [statSize]byte

	n, err := unix.Read(fd, text[:])
	if err != nil {
		return 0, err
	}

	ticks, ok := procfile.StartTicks(text[:n])
	if !ok {
		return 0, fmt.Errorf("its state is not understood: %s", procfile.Quote(text[:n]))
	}

	return ticks, nil
}

// Differs tells whether a process that is open has another tree than this process: other mounts or another root directory.
func Differs(process int) (bool, error) {
	for _, name := range []string{"ns/mnt", "root"} {
		var its, own unix.Stat_t
		if err := unix.Fstatat(process, name, &its, 0); err != nil {
			return false, ended(err)
		}

		if err := unix.Stat("/proc/self/"+name, &own); err != nil || own.Dev != its.Dev || own.Ino != its.Ino {
			return true, err
		}
	}

	return false, nil
}
