package apart

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

// helperCapabilities are all that the root helper has.
var helperCapabilities = []int{unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_SYSLOG, unix.CAP_SYS_CHROOT, unix.CAP_BPF, unix.CAP_PERFMON}

// helperDenied are calls that its unit denies.
var helperDenied = []uint32{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSMOUNT,
	unix.SYS_MOUNT_SETATTR, unix.SYS_SETNS, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_REBOOT, unix.SYS_INIT_MODULE, unix.SYS_SWAPON,
	unix.SYS_CLOCK_SETTIME,
}

// AsHelper runs f on a thread of its own, where the programs that f starts are as the root helper is in its unit: root with six capabilities, without
// new privileges or namespaces, with the host's files to read only, and with a /tmp, /dev and /proc of its own. It needs root.
func AsHelper(f func() error) error {
	return thread.Run(func() error {
		if err := becomeHelper(); err != nil {
			return fmt.Errorf("cannot be as the root helper: %w; run the test as root on Linux 5.12 or newer", err)
		}

		return f()
	})
}

func becomeHelper() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return err
	}

	unix.Umask(0o077)

	if err := mountAsHelper(); err != nil {
		return err
	}

	for capability := range unix.CAP_LAST_CAP + 1 {
		if !slices.Contains(helperCapabilities, capability) {
			// The kernel may not know it.
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0)
		}
	}

	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}

	program := denials()
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}

	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0)
}

// mountAsHelper does to the mounts of the calling thread what ProtectSystem=strict, ProtectHome=read-only, PrivateTmp, PrivateDevices and
// ProtectProc=invisible do (systemd.exec(5)).
func mountAsHelper() error {
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY, Propagation: unix.MS_PRIVATE}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return err
	}

	writable := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/sys", unix.AT_RECURSIVE, &writable); err != nil {
		return err
	}

	if err := unix.Mount("none", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return err
	}

	if err := devicesAsHelper(); err != nil {
		return err
	}

	return unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "hidepid=invisible")
}

// devicesAsHelper leaves what harms nobody, and the kernel log.
func devicesAsHelper() error {
	log, err := os.OpenFile("/dev/kmsg", unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()

	if err := unix.Mount("none", "/dev", "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755"); err != nil {
		return err
	}

	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		path := "/dev/" + name
		if err := unix.Mknod(path, unix.S_IFCHR, int(unix.Mkdev(1, minor))); err != nil {
			return err
		}

		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}

	if err := os.WriteFile("/dev/kmsg", nil, 0o600); err != nil {
		return err
	}

	return unix.Mount(fmt.Sprintf("/proc/self/fd/%d", log.Fd()), "/dev/kmsg", "", unix.MS_BIND, "")
}

// denials fails the calls that are denied, and those that would make namespaces.
func denials() []unix.SockFilter {
	const (
		number, firstArgument = 0, 16
		namespaces            = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	)

	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	give := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	unlessEqual := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
	}
	deny := give(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	program := []unix.SockFilter{load(number)}

	for _, call := range helperDenied {
		program = append(program, unlessEqual(call, 1), deny)
	}

	for _, call := range []uint32{unix.SYS_CLONE, unix.SYS_UNSHARE} {
		program = append(program, unlessEqual(call, 4), load(firstArgument),
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: namespaces, Jf: 1}, deny, give(unix.SECCOMP_RET_ALLOW))
	}

	return append(program, unlessEqual(unix.SYS_CLONE3, 1), give(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)), give(unix.SECCOMP_RET_ALLOW))
}

// Itself opens this program, which may lie where a program that it starts does not find it. Such a one has it as its third descriptor: start SelfPath with
// the file as the only one of exec.Cmd.ExtraFiles.
func Itself() (*os.File, error) {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("cannot open the test's own program: %w; mount /proc", err)
	}

	return file, nil
}

// SelfPath is this program for one that is started with it as third descriptor.
const SelfPath = "/proc/self/fd/3"

// InHelper runs the calling test again where the root helper is, and is true there. For an ordinary user, who cannot be put there, it holds AsHelper to its
// refusal instead.
func InHelper(tb testing.TB) bool {
	tb.Helper()

	if os.Geteuid() != 0 {
		if err := AsHelper(func() error { return nil }); err == nil || !strings.Contains(err.Error(), "run the test as root") {
			tb.Fatalf("an ordinary user is told %v instead of to run the test as root", err)
		}

		return false
	}

	if !Here() {
		Run(tb, Place{Helper: true})

		return false
	}

	return true
}
