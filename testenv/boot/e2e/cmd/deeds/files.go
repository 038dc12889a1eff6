package main

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func fileDeeds() map[string]func() error {
	all := map[string]func() error{
		"read a file of root's":          func() error { return opened("/etc/shadow", os.O_RDONLY) },
		"change a setting of the kernel": func() error { return opened("/proc/sys/net/ipv4/ip_forward", os.O_WRONLY) },
		"make a cgroup":                  makeGroup,
		"mount a file system":            mount,
		"make a device": func() error {
			return made(func(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 1))) })
		},
		"make a program that runs as root": func() error { return made(func(path string) error { return setUserID(path) }) },
		"give a file to a user":            func() error { return made(func(path string) error { return giveAway(path) }) },
		"write in an empty /tmp of its own": func() error {
			return made(func(path string) error { return os.WriteFile(path, nil, 0o600) })
		},
	}
	for _, dir := range []string{"/etc", "/etc/nginx", "/usr/sbin", "/var/lib", "/var/log", "/run", "/root", "/home", "/boot", "/srv", "/opt"} {
		all["write in "+dir] = func() error { return madeIn(dir, func(path string) error { return os.WriteFile(path, nil, 0o600) }) }
	}
	return all
}

func opened(path string, flag int) error {
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

// made does something that leaves a file, and removes it.
func made(do func(path string) error) error { return madeIn("/tmp", do) }

func madeIn(dir string, do func(path string) error) error {
	path := filepath.Join(dir, "hosting-deed")
	err := do(path)
	if removeErr := os.Remove(path); err == nil {
		err = removeErr
	}
	return err
}

func setUserID(path string) error {
	return errors.Join(os.WriteFile(path, nil, 0o700), unix.Chmod(path, 0o4755))
}

func giveAway(path string) error {
	return errors.Join(os.WriteFile(path, nil, 0o700), unix.Chown(path, ordinary, ordinary))
}

func makeGroup() error {
	for _, root := range []string{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err == nil {
			path := filepath.Join(root, "hosting-deed")
			if err := os.Mkdir(path, 0o755); err != nil {
				return err
			}
			return os.Remove(path)
		}
	}
	return errors.New("no cgroups are mounted")
}

func mount() error {
	if err := unix.Mount("deed", "/mnt", "tmpfs", 0, ""); err != nil {
		return err
	}
	return unix.Unmount("/mnt", 0)
}
