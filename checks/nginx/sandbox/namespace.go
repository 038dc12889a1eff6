package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// surroundings are what a test shares with a running nginx. The zero value is to share this process's own.
type surroundings struct {
	entered bool
	// mount and network are namespaces, root a directory; -1 where they are this process's own.
	mount, network, root int
	// capabilities are at most that process's.
	capabilities uint64
}

const allCapabilities = ^uint64(0)

func openSurroundings(pid int) (s surroundings, err error) {
	s = surroundings{mount: -1, network: -1, root: -1, capabilities: allCapabilities}
	if pid == 0 {
		return s, nil
	}
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("cannot share the namespaces of process %d: %w; run as root, and name a running nginx", pid, err)
		}
	}()
	// One directory for all: another process may get the number meanwhile.
	process, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return s, err
	}
	defer func() { _ = unix.Close(process) }()
	user, err := openOther(process, "ns/user")
	if err != nil {
		return s, err
	}
	if user >= 0 {
		_ = unix.Close(user)
		return s, fmt.Errorf("it is in another user namespace, which a process with threads cannot enter")
	}
	if s.mount, err = openOther(process, "ns/mnt"); err != nil {
		return s, err
	}
	if s.network, err = openOther(process, "ns/net"); err != nil {
		return s, err
	}
	if s.root, err = openRoot(process, s.mount >= 0); err != nil {
		return s, err
	}
	s.entered = s.mount >= 0 || s.network >= 0 || s.root >= 0
	s.capabilities, err = boundOf(process)
	return s, err
}

// openOther opens a namespace of a process, or is -1 where it is this process's own.
func openOther(process int, name string) (int, error) {
	fd, err := unix.Openat(process, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var its, own unix.Stat_t
	if err := unix.Fstat(fd, &its); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	if err := unix.Stat("/proc/self/"+name, &own); err == nil && own.Dev == its.Dev && own.Ino == its.Ino {
		_ = unix.Close(fd)
		return -1, nil
	}
	return fd, nil
}

// openRoot opens the root directory of a process, or is -1 where it is this process's own.
func openRoot(process int, otherMounts bool) (int, error) {
	fd, err := unix.Openat(process, "root", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var its, own unix.Stat_t
	if err := unix.Fstat(fd, &its); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	if err := unix.Stat("/", &own); err == nil && !otherMounts && own.Dev == its.Dev && own.Ino == its.Ino {
		_ = unix.Close(fd)
		return -1, nil
	}
	return fd, nil
}

func boundOf(process int) (uint64, error) {
	status, err := readAt(process, "status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			return strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	return 0, fmt.Errorf("its capabilities are not told")
}

func (s *surroundings) close() {
	for _, fd := range []*int{&s.mount, &s.network, &s.root} {
		if *fd >= 0 {
			_ = unix.Close(*fd)
			*fd = -1
		}
	}
}

// enter moves the calling thread, which must be locked, and is never used again.
func (s *surroundings) enter() error {
	if err := s.enterNetwork(); err != nil {
		return err
	}
	if s.mount < 0 && s.root < 0 {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("cannot have a root directory of its own: %w; run as root", err)
	}
	if s.mount >= 0 {
		if err := unix.Setns(s.mount, unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("cannot enter nginx's mount namespace: %w; run as root", err)
		}
	}
	if err := unix.Fchdir(s.root); err != nil {
		return fmt.Errorf("cannot enter nginx's root directory: %w; run as root", err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("cannot enter nginx's root directory: %w; run as root", err)
	}
	return nil
}

func (s *surroundings) enterNetwork() error {
	if s.network < 0 {
		return nil
	}
	if err := unix.Setns(s.network, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("cannot enter nginx's network namespace: %w; run as root", err)
	}
	return nil
}
