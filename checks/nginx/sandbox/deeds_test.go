package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	gosyscall "syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deed is something that changes the host, and what a test is told of it.
type deed struct {
	name string
	do   func(dir string) error
	told error
}

// deeds are tried in this order, in a directory with the files kept, its directory and the socket log.
func deeds() []deed {
	return []deed{
		{"listens", listenAndDial, unix.ECONNREFUSED},
		{"takes an address of a unix socket", func(dir string) error { return bindUnix(filepath.Join(dir, "new.sock")) }, nil},
		{"finds its unix socket", func(dir string) error { return unix.Access(filepath.Join(dir, "new.sock"), unix.F_OK) }, nil},
		{"takes an abstract address", func(string) error { return bindUnix("\x00sandbox-test") }, nil},
		{"takes an abstract address that is taken", func(string) error { return bindUnix("\x00sandbox-test-taken") }, unix.EADDRINUSE},
		{"writes a new file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "new"), []byte("x"), 0o600) }, nil},
		{"finds it", func(dir string) error { return unix.Access(filepath.Join(dir, "new"), unix.F_OK) }, nil},
		{"makes it once more", func(dir string) error {
			return openAs(filepath.Join(dir, "new"), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
		}, unix.EEXIST},
		{"removes it", func(dir string) error { return unix.Unlink(filepath.Join(dir, "new")) }, nil},
		{"finds it no more", func(dir string) error { return unix.Access(filepath.Join(dir, "new"), unix.F_OK) }, unix.ENOENT},
		{"makes a directory", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o700) }, nil},
		{"writes a file in it", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a/b/c/d"), []byte("x"), 0o600) }, nil},
		{"writes over a file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "kept"), []byte("x"), 0o600) }, nil},
		{"writes to a file that was deleted and made", remake, nil},
		{"cuts a file by its path", func(dir string) error { return unix.Truncate(filepath.Join(dir, "kept"), 1) }, nil},
		{"changes owner, mode and times", changeAll, nil},
		{"changes the mode of what it opened", changeOpened, nil},
		{"changes the mode of an open directory", func(dir string) error { return changeDirectory(filepath.Join(dir, "directory")) }, nil},
		{"moves a file", func(dir string) error { return unix.Rename(filepath.Join(dir, "kept2"), filepath.Join(dir, "moved")) }, nil},
		{"links a file", func(dir string) error { return unix.Link(filepath.Join(dir, "kept3"), filepath.Join(dir, "linked")) }, nil},
		{"links by a name", func(dir string) error { return unix.Symlink("kept3", filepath.Join(dir, "symlinked")) }, nil},
		{"removes a directory", func(dir string) error { return unix.Rmdir(filepath.Join(dir, "directory")) }, nil},
		{"makes a pipe", func(dir string) error { return unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600) }, nil},
		{"makes a file without a name", func(dir string) error { return openAs(dir, unix.O_TMPFILE|unix.O_RDWR) }, nil},
		{"opens a file to read that it would make", readKept, nil},
		{"sets an attribute", func(dir string) error { return unix.Setxattr(filepath.Join(dir, "kept3"), "user.x", []byte("x"), 0) }, unix.EPERM},
		{"makes a file immutable", immutable, unix.EPERM},
		{"makes a file in no directory", func(string) error {
			_, err := unix.Openat(999, "new", unix.O_WRONLY|unix.O_CREAT, 0o600)
			return err
		}, unix.EBADF},
		{"opens in another way", openat2, unix.ENOSYS},
		{"uses a ring", func(string) error { return raw(unix.SYS_IO_URING_SETUP, 1, 0, 0) }, unix.ENOSYS},
		{"calls what does not exist yet", func(string) error { return raw(highestSyscall+1, 0, 0, 0) }, unix.ENOSYS},
		{"signals its parent", func(string) error { return unix.Kill(os.Getppid(), unix.SIGUSR1) }, nil},
		{"signals everybody", func(string) error { return unix.Kill(-1, unix.SIGCONT) }, nil},
		{"traces its parent", func(string) error { return unix.PtraceAttach(os.Getppid()) }, unix.EPERM},
		{"limits its parent", limitParent, unix.EPERM},
		{"mounts", func(dir string) error { return unix.Mount("none", dir, "tmpfs", 0, "") }, unix.EPERM},
		{"leaves its namespace", func(string) error { return unix.Unshare(unix.CLONE_NEWNS) }, unix.EPERM},
		{"starts a process in a namespace", startInNamespace, unix.EPERM},
		{"changes its root", unix.Chroot, unix.EPERM},
		{"makes memory that stays", func(string) error { return raw(unix.SYS_SHMGET, 0x5a6b, 4096, unix.IPC_CREAT|0o600) }, unix.EPERM},
		{"tells syslog", func(dir string) error { return tell(filepath.Join(dir, "log")) }, nil},
	}
}

func mischief(dir string) {
	for _, d := range deeds() {
		err := d.do(dir)
		for {
			inner, ok := err.(interface{ Unwrap() error })
			if !ok {
				break
			}
			err = inner.Unwrap()
		}
		fmt.Printf("%s: %v\n", d.name, err)
	}
}

func raw(number, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

func listenAndDial(string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	address := &unix.SockaddrInet4{Port: 28099, Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(fd, address); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(fd, 5); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Connect(client, address)
}

func bindUnix(name string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if name[0] == 0 {
		name = "@" + name[1:]
	}
	return unix.Bind(fd, &unix.SockaddrUnix{Name: name})
}

func openAs(path string, flags int) error {
	fd, err := unix.Open(path, flags, 0o600)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte("x"))
	return err
}

func remake(dir string) error {
	path := filepath.Join(dir, "kept3")
	if err := unix.Unlink(path); err != nil {
		return err
	}
	return openAs(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
}

func changeAll(dir string) error {
	path := filepath.Join(dir, "kept")
	for _, change := range []func() error{
		func() error { return unix.Chmod(path, 0o777) }, func() error { return unix.Lchown(path, os.Geteuid(), -1) },
		func() error { return os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)) },
	} {
		if err := change(); err != nil {
			return err
		}
	}
	return nil
}

// changeOpened would change /dev/null if it were let.
func changeOpened(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "kept"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := file.Chmod(0o777); err != nil {
		return err
	}
	if err := file.Chown(1, 1); err != nil {
		return err
	}
	return file.Truncate(0)
}

func changeDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return directory.Chmod(0)
}

func readKept(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "kept4"), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	text := make([]byte, 4)
	if _, err := file.Read(text); err != nil || string(text) != "kept" {
		return fmt.Errorf("read %q: %w", text, err)
	}
	if _, err := file.Write(text); err == nil {
		return unix.EEXIST
	}
	return nil
}

func immutable(dir string) error {
	file, err := os.Open(filepath.Join(dir, "kept"))
	if err != nil {
		return err
	}
	const immutableFlag = 0x10
	return unix.IoctlSetPointerInt(int(file.Fd()), unix.FS_IOC_SETFLAGS, immutableFlag)
}

func openat2(dir string) error {
	_, err := unix.Openat2(unix.AT_FDCWD, filepath.Join(dir, "kept"), &unix.OpenHow{Flags: unix.O_WRONLY | unix.O_TRUNC})
	return err
}

func limitParent(string) error {
	return unix.Prlimit(os.Getppid(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: 3}, nil)
}

func startInNamespace(string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = gosyscall.ForkExec(own, []string{own}, &gosyscall.ProcAttr{Sys: &gosyscall.SysProcAttr{Cloneflags: gosyscall.CLONE_NEWUTS}})
	return err
}

func tell(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return err
	}
	return raw(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData("told"))), 4)
}
