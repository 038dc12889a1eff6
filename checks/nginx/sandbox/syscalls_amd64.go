package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch     = unix.AUDIT_ARCH_X86_64
	sysNewfstatat = unix.SYS_NEWFSTATAT
)

// oldSyscalls are those that newer architectures do not have any more.
func oldSyscalls() []syscall {
	return []syscall{
		old("open", unix.SYS_OPEN, (*judge).open, atCWD(3)),
		old("creat", unix.SYS_CREAT, (*judge).open, func(a [6]uint64) [6]uint64 {
			return [6]uint64{atFDCWD, a[0], unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC, a[1]}
		}),
		old("stat", unix.SYS_STAT, (*judge).stat, atCWD(2)),
		old("lstat", unix.SYS_LSTAT, (*judge).stat, atCWD(2, unix.AT_SYMLINK_NOFOLLOW)),
		old("access", unix.SYS_ACCESS, (*judge).access, atCWD(2)),
		old("mkdir", unix.SYS_MKDIR, (*judge).mkdir, atCWD(2)),
		old("mknod", unix.SYS_MKNOD, (*judge).mknod, atCWD(3)),
		old("unlink", unix.SYS_UNLINK, (*judge).unlink, atCWD(1)),
		old("rmdir", unix.SYS_RMDIR, (*judge).unlink, atCWD(1, unix.AT_REMOVEDIR)),
		old("symlink", unix.SYS_SYMLINK, (*judge).symlink, func(a [6]uint64) [6]uint64 { return [6]uint64{a[0], atFDCWD, a[1]} }),
		old("link", unix.SYS_LINK, (*judge).link, twoAtCWD),
		old("rename", unix.SYS_RENAME, (*judge).rename, twoAtCWD),
		old("chmod", unix.SYS_CHMOD, (*judge).chmod, atCWD(2)),
		old("chown", unix.SYS_CHOWN, (*judge).chown, atCWD(3)),
		old("lchown", unix.SYS_LCHOWN, (*judge).chown, atCWD(3, unix.AT_SYMLINK_NOFOLLOW)),
		old("utime", unix.SYS_UTIME, (*judge).utime, atCWD(2)),
		old("utimes", unix.SYS_UTIMES, (*judge).utime, atCWD(2)),
		old("futimesat", unix.SYS_FUTIMESAT, (*judge).utime, func(a [6]uint64) [6]uint64 { return [6]uint64{a[0], a[1], a[2]} }),
		old("fork", unix.SYS_FORK, (*judge).fork, noArguments),
		old("vfork", unix.SYS_VFORK, (*judge).fork, noArguments),
	}
}

var oldRefused = map[string]uint32{
	"iopl": unix.SYS_IOPL, "ioperm": unix.SYS_IOPERM, "uselib": unix.SYS_USELIB, "_sysctl": unix.SYS__SYSCTL, "create_module": unix.SYS_CREATE_MODULE,
}

// atCWD puts AT_FDCWD before the first count arguments, and further ones behind them.
func atCWD(count int, further ...uint64) func([6]uint64) [6]uint64 {
	return func(arguments [6]uint64) (newer [6]uint64) {
		newer[0] = atFDCWD
		copy(newer[1:], arguments[:count])
		copy(newer[1+count:], further)
		return newer
	}
}

func twoAtCWD(a [6]uint64) [6]uint64 { return [6]uint64{atFDCWD, a[0], atFDCWD, a[1]} }

func noArguments([6]uint64) (none [6]uint64) { return none }
