package sandbox

import (
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
)

// syscall is what becomes of one system call that is not simply allowed.
type syscall struct {
	name   string
	number uint32
	// tests are decided before everything else, in the kernel where it has seccomp.
	tests []seccomp.Test
	// action decides where no test holds; what it hands over is answered by judge.
	action seccomp.Action
	judge  func(*judge, *call) answer
	// arguments turns those of an old call into those of the newer one that judge knows; nil leaves them.
	arguments func([6]uint64) [6]uint64
}

func (s syscall) rule() seccomp.Rule {
	return seccomp.Rule{Number: s.number, Tests: s.tests, Action: s.action}
}

// highestSyscall is the newest one that this table was written with knowledge of (Linux 7.0, rseq_slice_yield). What comes later fails with ENOSYS, as on an older kernel.
const highestSyscall = unix.SYS_RSEQ_SLICE_YIELD

// judged is a call that the supervisor answers.
func judged(name string, number uint32, judge func(*judge, *call) answer, tests ...seccomp.Test) syscall {
	return syscall{name: name, number: number, tests: tests, action: seccomp.Notify, judge: judge}
}

// old is a call that a newer one does as well.
func old(name string, number uint32, judge func(*judge, *call) answer, arguments func([6]uint64) [6]uint64) syscall {
	return syscall{name: name, number: number, action: seccomp.Notify, judge: judge, arguments: arguments}
}

func allowIf(all ...seccomp.Compare) seccomp.Test {
	return seccomp.Test{All: all, Action: seccomp.Allow}
}

// syscalls are all calls that are not simply allowed, on this architecture.
func syscalls() []syscall {
	all := append(genericSyscalls(), oldSyscalls()...)
	for name, number := range refused {
		all = append(all, judged(name, number, (*judge).refuse))
	}
	for name, number := range oldRefused {
		all = append(all, judged(name, number, (*judge).refuse))
	}
	for _, number := range answeredZero {
		all = append(all, syscall{number: number, action: seccomp.Zero})
	}
	for _, number := range unknown {
		all = append(all, syscall{number: number, action: seccomp.Errno(unix.ENOSYS)})
	}
	return all
}

// genericSyscalls are the ones that all architectures have.
func genericSyscalls() []syscall {
	self := allowIf(seccomp.Equals(0, 0))
	return []syscall{
		judged("bind", unix.SYS_BIND, (*judge).bind),
		judged("connect", unix.SYS_CONNECT, (*judge).connect),

		judged("openat", unix.SYS_OPENAT, (*judge).open),
		// With AT_EMPTY_PATH it is fstat, of which there are many.
		judged("newfstatat", sysNewfstatat, (*judge).stat, allowIf(seccomp.Has(3, unix.AT_EMPTY_PATH))),
		judged("statx", unix.SYS_STATX, (*judge).statx, allowIf(seccomp.Has(2, unix.AT_EMPTY_PATH))),
		judged("faccessat", unix.SYS_FACCESSAT, (*judge).access),
		judged("faccessat2", unix.SYS_FACCESSAT2, (*judge).access),
		judged("truncate", unix.SYS_TRUNCATE, (*judge).truncate),

		judged("mkdirat", unix.SYS_MKDIRAT, (*judge).mkdir),
		judged("mknodat", unix.SYS_MKNODAT, (*judge).mknod),
		judged("symlinkat", unix.SYS_SYMLINKAT, (*judge).symlink),
		judged("linkat", unix.SYS_LINKAT, (*judge).link),
		judged("unlinkat", unix.SYS_UNLINKAT, (*judge).unlink),
		judged("renameat", unix.SYS_RENAMEAT, (*judge).rename),
		judged("renameat2", unix.SYS_RENAMEAT2, (*judge).rename),

		judged("fchownat", unix.SYS_FCHOWNAT, (*judge).chown),
		judged("fchown", unix.SYS_FCHOWN, (*judge).fchown),
		judged("fchmodat", unix.SYS_FCHMODAT, (*judge).chmod),
		judged("fchmod", unix.SYS_FCHMOD, (*judge).fchmod),
		judged("utimensat", unix.SYS_UTIMENSAT, (*judge).utime),

		judged("kill", unix.SYS_KILL, (*judge).kill),
		judged("tkill", unix.SYS_TKILL, (*judge).kill),
		judged("tgkill", unix.SYS_TGKILL, (*judge).kill, allowPreemption()),
		judged("rt_sigqueueinfo", unix.SYS_RT_SIGQUEUEINFO, (*judge).kill),
		judged("rt_tgsigqueueinfo", unix.SYS_RT_TGSIGQUEUEINFO, (*judge).kill),
		judged("clone", unix.SYS_CLONE, (*judge).fork, leaves(), allowThreads(), allowOurFork()),

		judged("prlimit64", unix.SYS_PRLIMIT64, (*judge).refuse, self),
		judged("sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, (*judge).refuse, self),
		judged("sched_setscheduler", unix.SYS_SCHED_SETSCHEDULER, (*judge).refuse, self),
		judged("sched_setparam", unix.SYS_SCHED_SETPARAM, (*judge).refuse, self),
		judged("sched_setattr", unix.SYS_SCHED_SETATTR, (*judge).refuse, self),
		judged("setpriority", unix.SYS_SETPRIORITY, (*judge).refuse, allowIf(seccomp.Equals(0, unix.PRIO_PROCESS), seccomp.Equals(1, 0))),
		judged("ioprio_set", unix.SYS_IOPRIO_SET, (*judge).refuse, allowIf(seccomp.Equals(0, ioprioWhoProcess), seccomp.Equals(1, 0))),
		judged("ioctl", unix.SYS_IOCTL, (*judge).refuse, harmlessControls()...),
		judged("fcntl", unix.SYS_FCNTL, (*judge).fcntl, harmlessCommands()...),
	}
}

// ioprioWhoProcess is IOPRIO_WHO_PROCESS of linux/ioprio.h.
const ioprioWhoProcess = 1

// answeredZero have an effect on files or sockets that are not there, or on the whole host.
// A socket that is not bound would take a free port with listen.
var answeredZero = []uint32{
	unix.SYS_LISTEN, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_FLOCK,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_SYNC, unix.SYS_SYNCFS, unix.SYS_SYNC_FILE_RANGE,
}

// unknown are answered as by a kernel that does not have them: their arguments are in memory, where no filter sees them, or they pass every filter
// by (io_uring). Every program has a way without them.
var unknown = []uint32{
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_OPENAT2, unix.SYS_CLONE3, unix.SYS_FCHMODAT2,
}
