// Command init is the first process of a machine that runs tests: it makes the file systems that they need, runs them with its own arguments,
// says whether they passed, and switches the machine off. With the argument "boot" it leaves all that to the machine's systemd.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: cannot run here: it switches the machine off; it is for the machines of testenv/kernels")
		os.Exit(1)
	}

	if err := run(os.Args[1:]); err != nil {
		fmt.Println("kernels: the tests did not pass:", err)
	} else {
		fmt.Println(kernels.Passed)
	}

	unix.Sync()

	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("kernels: cannot switch the machine off:", err)
	}
}

// descriptors is more than any test needs.
const descriptors = 100_000

func run(arguments []string) error {
	if err := loadModules(); err != nil {
		return err
	}

	if len(arguments) == 1 && arguments[0] == kernels.BootArgument {
		const systemd = "/lib/systemd/systemd"

		// It returns only where it fails.
		return fmt.Errorf("cannot boot: %w; put systemd into the system", unix.Exec(systemd, []string{systemd}, nil))
	}

	if err := prepare(); err != nil {
		return err
	}

	test := exec.Command(kernels.Inside+"/test", arguments...)
	test.Dir = kernels.Inside
	test.Env = append(kernels.Environment(), "PATH=/bin")
	test.Stdout, test.Stderr = os.Stdout, os.Stdout

	return test.Run()
}

// loadModules loads what is in /modules, in the order of the names.
func loadModules() error {
	// compressed is MODULE_INIT_COMPRESSED_FILE of linux/module.h.
	const compressed = 4

	files, err := filepath.Glob("/modules/*")
	if err != nil {
		return err
	}

	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return err
		}

		flags := 0
		if !strings.HasSuffix(path, ".ko") {
			flags = compressed
		}

		if err := errors.Join(unix.FinitModule(int(file.Fd()), "", flags), file.Close()); err != nil {
			return fmt.Errorf("cannot load %s: %w; use a kernel that it is of", path, err)
		}
	}

	return nil
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
