package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Command is one configuration test.
type Command struct {
	// Binary is the nginx, an absolute path in the root directory of the test.
	Binary string
	// Args are nginx's options: -c FILE, -p PREFIX, -g DIRECTIVES and -e FILE only. -t is added.
	Args []string
	// Environment is put into the otherwise empty environment, as NAME=value, such as what the service's unit sets.
	// What speaks of a running nginx or of systemd's sockets is left out.
	Environment []string
	// Namespaces is a process whose root directory with its mounts, network namespace and capabilities the test gets, as far as this process may give them;
	// 0 stays here. It needs root with CAP_SYS_CHROOT for other files, with CAP_SYS_ADMIN for another network.
	Namespaces int
	// StartTicks is when that process was started (proc_pid_stat(5)), so that no other is taken for it; 0 trusts the number.
	StartTicks uint64
	// NoFile is RLIMIT_NOFILE, as the service has it: a descriptor for each log. 0 leaves it. Only root may exceed this process's hard limit.
	NoFile uint64
	// MaxMemoryBytes is RLIMIT_AS; 0 is none.
	MaxMemoryBytes uint64
	// Timeout is when the test is killed with all that it started; 0 is DefaultTimeout.
	Timeout time.Duration
	// AsRoot judges addresses, directories and files to write as for root with the capabilities that the programs of Namespaces, or else of root here, can have, though
	// this process is not root or lacks some (Rights). What is read needs permission still. Namespaces that has ended fails with tree.ErrEnded.
	AsRoot bool
	// Bare tells what is known of an ordinary test's effects, for hosts where no technique works; nil forbids one.
	Bare *BareConditions
	// question is the option that is added; empty for -t.
	question string
}

// DefaultTimeout is enough for 50,000 vhosts, and for five names of a resolver that does not answer.
const DefaultTimeout = time.Minute

// safePath is the only variable that a test gets by itself.
const safePath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

var (
	options = []string{"-c", "-p", "-g", "-e"}
	// foreign are variables that make nginx take over sockets, or speak to systemd.
	foreign = []string{"NGINX", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}
)

func (c Command) check() error {
	if !filepath.IsAbs(c.Binary) {
		return fmt.Errorf("cannot test with %q: it is no absolute path; name the nginx program", c.Binary)
	}
	for i := 0; i < len(c.Args); i++ {
		option := c.Args[i]
		if len(option) < 2 || !slices.Contains(options, option[:2]) {
			return fmt.Errorf("cannot test with the option %q: a test takes only %s", option, strings.Join(options, ", "))
		}
		if len(option) == 2 {
			if i++; i == len(c.Args) {
				return fmt.Errorf("cannot test with the option %q: its value is missing", option)
			}
		}
	}
	for _, text := range slices.Concat([]string{c.Binary}, c.Args, c.Environment) {
		if strings.IndexByte(text, 0) >= 0 {
			return errors.New("cannot test with an option that holds a zero byte")
		}
	}
	return nil
}

func (c Command) arguments() []string {
	return slices.Concat([]string{c.Binary}, c.Args, []string{cmp.Or(c.question, "-t")})
}

func (c Command) environment() []string {
	environment := []string{safePath}
	for _, variable := range c.Environment {
		if name, _, ok := strings.Cut(variable, "="); ok && !slices.Contains(foreign, name) {
			environment = append(environment, variable)
		}
	}
	return environment
}

func (c Command) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return DefaultTimeout
}

// setLimits sets the resource limits of the test, which waits in its first system call, and tells how many files it may open.
func setLimits(pid int, c Command) (files uint64, err error) {
	if err := setLimit(pid, unix.RLIMIT_CORE, 0); err != nil {
		return 0, err
	}
	if c.MaxMemoryBytes > 0 {
		if err := setLimit(pid, unix.RLIMIT_AS, c.MaxMemoryBytes); err != nil {
			return 0, err
		}
	}
	if c.NoFile > 0 {
		if err := setLimit(pid, unix.RLIMIT_NOFILE, c.NoFile); err != nil {
			return 0, err
		}
	}
	var limits unix.Rlimit
	err = unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limits)
	return limits.Cur, err
}

// setLimit sets a limit, at most to the highest that this process may set.
func setLimit(pid, resource int, limit uint64) error {
	var limits unix.Rlimit
	err := unix.Prlimit(pid, resource, nil, &limits)
	if err == nil {
		raised := unix.Rlimit{Cur: limit, Max: max(limits.Max, limit)}
		if unix.Prlimit(pid, resource, &raised, nil) == nil {
			return nil
		}
		limits.Cur = min(limit, limits.Max)
		err = unix.Prlimit(pid, resource, &limits, nil)
	}
	if err != nil {
		return fmt.Errorf("cannot set the limits of the test: %w; run it as root or as the caller's own user", err)
	}
	return nil
}
