package sandbox

import (
	"os"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
)

// refused fail with EPERM, and are told in the result: no nginx needs them for a test, and each changes something outside of it.
var refused = map[string]uint32{
	"mount": unix.SYS_MOUNT, "umount2": unix.SYS_UMOUNT2, "pivot_root": unix.SYS_PIVOT_ROOT, "move_mount": unix.SYS_MOVE_MOUNT,
	"open_tree": unix.SYS_OPEN_TREE, "open_tree_attr": unix.SYS_OPEN_TREE_ATTR, "fsopen": unix.SYS_FSOPEN, "fsconfig": unix.SYS_FSCONFIG,
	"fsmount": unix.SYS_FSMOUNT, "fspick": unix.SYS_FSPICK, "mount_setattr": unix.SYS_MOUNT_SETATTR, "chroot": unix.SYS_CHROOT,
	"open_by_handle_at": unix.SYS_OPEN_BY_HANDLE_AT, "fanotify_init": unix.SYS_FANOTIFY_INIT, "fanotify_mark": unix.SYS_FANOTIFY_MARK,
	"quotactl": unix.SYS_QUOTACTL, "quotactl_fd": unix.SYS_QUOTACTL_FD, "swapon": unix.SYS_SWAPON, "swapoff": unix.SYS_SWAPOFF,
	"acct": unix.SYS_ACCT, "vhangup": unix.SYS_VHANGUP, "nfsservctl": unix.SYS_NFSSERVCTL, "file_setattr": unix.SYS_FILE_SETATTR,
	"setxattr": unix.SYS_SETXATTR, "lsetxattr": unix.SYS_LSETXATTR, "fsetxattr": unix.SYS_FSETXATTR, "setxattrat": unix.SYS_SETXATTRAT,
	"removexattr": unix.SYS_REMOVEXATTR, "lremovexattr": unix.SYS_LREMOVEXATTR, "fremovexattr": unix.SYS_FREMOVEXATTR,
	"removexattrat": unix.SYS_REMOVEXATTRAT,

	"setns": unix.SYS_SETNS, "unshare": unix.SYS_UNSHARE, "ptrace": unix.SYS_PTRACE, "kcmp": unix.SYS_KCMP,
	"process_vm_readv": unix.SYS_PROCESS_VM_READV, "process_vm_writev": unix.SYS_PROCESS_VM_WRITEV, "process_madvise": unix.SYS_PROCESS_MADVISE,
	"process_mrelease": unix.SYS_PROCESS_MRELEASE, "migrate_pages": unix.SYS_MIGRATE_PAGES, "move_pages": unix.SYS_MOVE_PAGES,
	"pidfd_open": unix.SYS_PIDFD_OPEN, "pidfd_getfd": unix.SYS_PIDFD_GETFD, "pidfd_send_signal": unix.SYS_PIDFD_SEND_SIGNAL,

	"bpf": unix.SYS_BPF, "perf_event_open": unix.SYS_PERF_EVENT_OPEN, "userfaultfd": unix.SYS_USERFAULTFD,
	"init_module": unix.SYS_INIT_MODULE, "finit_module": unix.SYS_FINIT_MODULE, "delete_module": unix.SYS_DELETE_MODULE,
	"kexec_load": unix.SYS_KEXEC_LOAD, "kexec_file_load": unix.SYS_KEXEC_FILE_LOAD, "reboot": unix.SYS_REBOOT, "syslog": unix.SYS_SYSLOG,
	"sethostname": unix.SYS_SETHOSTNAME, "setdomainname": unix.SYS_SETDOMAINNAME, "settimeofday": unix.SYS_SETTIMEOFDAY,
	"clock_settime": unix.SYS_CLOCK_SETTIME, "clock_adjtime": unix.SYS_CLOCK_ADJTIME, "adjtimex": unix.SYS_ADJTIMEX,
	"add_key": unix.SYS_ADD_KEY, "request_key": unix.SYS_REQUEST_KEY, "keyctl": unix.SYS_KEYCTL,

	// What these make lives on after the test.
	"shmget": unix.SYS_SHMGET, "shmat": unix.SYS_SHMAT, "shmctl": unix.SYS_SHMCTL, "semget": unix.SYS_SEMGET, "semctl": unix.SYS_SEMCTL, "semop": unix.SYS_SEMOP,
	"semtimedop": unix.SYS_SEMTIMEDOP, "msgget": unix.SYS_MSGGET, "msgctl": unix.SYS_MSGCTL, "msgsnd": unix.SYS_MSGSND, "msgrcv": unix.SYS_MSGRCV,
	"mq_open": unix.SYS_MQ_OPEN, "mq_unlink": unix.SYS_MQ_UNLINK,
}

// harmlessControls are the ioctl(2) requests that change nothing but the caller's own descriptors.
func harmlessControls() []seccomp.Test {
	var tests []seccomp.Test
	for _, request := range []uint32{
		fioNBIO, fioAsync, fioNRead, fioCLEX, fioNCLEX,
		unix.TCGETS, unix.TCGETS2, unix.TIOCGWINSZ, unix.TIOCGPGRP,
		unix.SIOCGIFCONF, unix.SIOCGIFNAME, unix.SIOCGIFINDEX, unix.SIOCGIFFLAGS, unix.SIOCGIFADDR, unix.SIOCGIFHWADDR, unix.SIOCGIFMTU,
	} {
		tests = append(tests, allowIf(seccomp.Equals(1, request)))
	}
	return tests
}

// The requests of asm-generic/ioctls.h that golang.org/x/sys does not have.
const (
	fioNRead = 0x541b
	fioNBIO  = 0x5421
	fioNCLEX = 0x5450
	fioCLEX  = 0x5451
	fioAsync = 0x5452
)

// harmlessCommands are the fcntl(2) commands but locks, leases, notifications and signals to owners.
func harmlessCommands() []seccomp.Test {
	var tests []seccomp.Test
	for _, command := range []uint32{
		unix.F_DUPFD, unix.F_DUPFD_CLOEXEC, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_GETLK, unix.F_GETOWN,
		unix.F_GETPIPE_SZ, unix.F_ADD_SEALS, unix.F_GET_SEALS,
	} {
		tests = append(tests, allowIf(seccomp.Equals(1, command)))
	}
	return tests
}

// allowPreemption lets the Go runtime of this process signal its own threads, as one of them carries the filter.
func allowPreemption() seccomp.Test {
	return allowIf(seccomp.Equals(0, uint32(os.Getpid())), seccomp.Equals(2, uint32(unix.SIGURG)))
}

// newSurroundings are the flags of clone(2) that leave what the test shares with its supervisor.
const newSurroundings = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID |
	unix.CLONE_NEWNET | unix.CLONE_PARENT | unix.CLONE_PTRACE | unix.CLONE_UNTRACED

// leaves hands over what fork refuses.
func leaves() seccomp.Test {
	return seccomp.Test{All: []seccomp.Compare{seccomp.Has(0, newSurroundings)}, Action: seccomp.Notify}
}

// allowThreads is for those of one process.
func allowThreads() seccomp.Test { return allowIf(seccomp.Has(0, unix.CLONE_THREAD)) }

// allowOurFork lets this process start nginx: exactly the flags with which package syscall does. The thread that does it keeps its processor until
// the new process runs its program, so that a supervisor that had to answer might never get one.
func allowOurFork() seccomp.Test {
	return allowIf(seccomp.Equals(0, unix.CLONE_VFORK|unix.CLONE_VM|unix.CLONE_PIDFD|uint32(unix.SIGCHLD)))
}
