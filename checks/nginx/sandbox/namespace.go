package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// surroundings are what a test shares with a running nginx.
type surroundings struct {
	// view is the files, network a namespace, -1 where it is this process's own.
	view    tree.View
	network int
	// capabilities are at most that process's, as a whole root would have them; lowered says that this process has others.
	capabilities uint64
	lowered      bool
}

func openSurroundings(command Command) (s surroundings, err error) {
	s = surroundings{network: -1, capabilities: allCapabilities}
	if command.Namespaces == 0 {
		return s, s.limitAsHere(command)
	}
	defer func() {
		if err != nil {
			s.close()
			if errors.Is(err, unix.ESRCH) {
				err = tree.ErrEnded
			}
			err = fmt.Errorf("cannot share the namespaces of process %d: %w; run as root, and name a running nginx", command.Namespaces, err)
		}
	}()
	// One directory for all: another process may get the number meanwhile.
	process, err := tree.OpenProcess("/proc", command.Namespaces, command.StartTicks)
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
		return s, errors.New("it is in another user namespace, which a process with threads cannot enter")
	}
	if s.network, err = openOther(process, "ns/net"); err != nil {
		return s, err
	}
	if err = s.openView(process); err != nil {
		return s, err
	}
	return s, s.limit(process)
}

func (s *surroundings) openView(process int) error {
	differs, err := tree.Differs(process)
	if err == nil && differs {
		s.view, err = tree.OpenView(process)
	}
	return err
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

// limit takes the capabilities that the programs of a process can have.
func (s *surroundings) limit(process int) error {
	own, err := effectiveCapabilities()
	if err == nil {
		s.capabilities, err = boundOf(process)
	}
	s.lowered = own&^s.capabilities != 0
	return err
}

// limitAsHere has root that is not whole be judged by what programs that it starts here could have, as in a container.
func (s *surroundings) limitAsHere(command Command) error {
	if !command.AsRoot || unix.Geteuid() != 0 {
		return nil
	}
	process, err := tree.OpenProcess("/proc", unix.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("cannot tell the rights of a configuration test: %w; mount /proc", err)
	}
	defer func() { _ = unix.Close(process) }()
	return s.limit(process)
}

func boundOf(process int) (uint64, error) {
	status, err := readAt(process, "status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			bound, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			if bound>>unix.CAP_DAC_OVERRIDE&1 == 1 {
				// Who may do everything with files may read them.
				bound |= 1 << unix.CAP_DAC_READ_SEARCH
			}
			return bound, err
		}
	}
	return 0, errors.New("its capabilities are not told")
}

func (s *surroundings) close() {
	s.view.Close()
	if s.network >= 0 {
		_ = unix.Close(s.network)
		s.network = -1
	}
}

// enter moves the calling thread, which must be locked, and is never used again.
func (s *surroundings) enter() error {
	if err := s.enterNetwork(); err != nil {
		return err
	}
	if err := s.view.Enter(); err != nil {
		return fmt.Errorf("cannot enter nginx's root directory: %w; run as root with CAP_SYS_CHROOT", err)
	}
	return nil
}

func (s *surroundings) enterNetwork() error {
	if s.network < 0 {
		return nil
	}
	if err := unix.Setns(s.network, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("cannot enter nginx's network, which is another one than this process's: %w; run this plugin in there, or as root with CAP_SYS_ADMIN", err)
	}
	return nil
}
