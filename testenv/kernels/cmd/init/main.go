// Command init is the first process of a machine that runs tests: it makes the file systems that they need, runs them with its own arguments,
// says whether they passed, and switches the machine off.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: cannot run here: it switches the machine off; it is for the machines of testenv/kernels")
		os.Exit(1)
	}

	if err := run(os.Args[1:]); err != nil {
		fmt.Println("kernels: the tests did not pass:", err)
	} else {
		fmt.Println("kernels: the tests passed")
	}

	unix.Sync()

	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("kernels: cannot switch the machine off:", err)
	}
}

// descriptors is more than any test needs.
const descriptors = 100_000

func run(arguments []string) error {
	if err := prepare(); err != nil {
		return err
	}

	test := exec.Command("/package/test", arguments...)
	test.Dir = "/package"
	test.Env = []string{"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp"}
	test.Stdout, test.Stderr = os.Stdout, os.Stdout

	return test.Run()
}

// prepare makes of the bare kernel what a test takes for granted.
func prepare() error {
	for _, one := range []struct{ kind, target string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}, {"tmpfs", "/dev/shm"}, {"cgroup2", "/sys/fs/cgroup"},
	} {
		if err := errors.Join(os.MkdirAll(one.target, 0o755), unix.Mount(one.kind, one.target, one.kind, 0, "")); err != nil {
			return fmt.Errorf("cannot mount %s: %w; use a kernel that has it", one.target, err)
		}
	}

	// Who tests as an ordinary user needs a place, too.
	if err := os.Chmod("/tmp", 0o777|os.ModeSticky); err != nil {
		return err
	}

	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: descriptors, Max: descriptors}); err != nil {
		return fmt.Errorf("cannot raise the limit of open files: %w", err)
	}

	return apart.RaiseInterfaces()
}
