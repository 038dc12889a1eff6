package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const anyWrites = 0o002

// permits tells whether the test may use a file so: unix.R_OK, W_OK, X_OK.
func (j *judge) permits(n node, mode uint32) unix.Errno {
	if n.virtual {
		return 0
	}
	errno := j.ask(n, mode)
	if errno != unix.EACCES || !j.asRoot || !j.can(unix.CAP_DAC_OVERRIDE) || j.isDeniedToRoot(n) {
		return errno
	}
	if file := n.kind(); mode&unix.W_OK != 0 && (file == unix.S_IFREG || file == unix.S_IFDIR) {
		return readOnly(n)
	}
	return 0
}

// ask is the kernel's own answer, to this process.
func (j *judge) ask(n node, mode uint32) unix.Errno {
	return errnoOf(unix.Faccessat(j.proc, "self/fd/"+strconv.Itoa(n.fd), mode, 0))
}

// isDeniedToRoot tells whether it is not for want of CAP_DAC_OVERRIDE that the kernel denies root a file: the server of NFS decides by the user alone, and
// other file systems may keep out even whoever may read all files.
func (j *judge) isDeniedToRoot(n node) bool {
	if j.identity.uid != 0 || j.isBlind() {
		return false
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(n.fd, &fs) == nil && fs.Type == unix.NFS_SUPER_MAGIC {
		return true
	}
	return j.ask(n, unix.R_OK) == unix.EACCES
}

// can tells whether the test is judged to have a capability.
func (j *judge) can(capability int) bool {
	if j.asRoot {
		return j.rootly>>capability&1 == 1
	}
	return j.identity.can(capability)
}

// uid is as whom the test is judged.
func (j *judge) uid() uint32 {
	if j.asRoot {
		return 0
	}
	return j.identity.uid
}

// isBlind tells whether the test is judged as root, but does not find all that root would.
func (j *judge) isBlind() bool { return j.asRoot && j.identity.capabilities&reading == 0 }

// pardon passes over the refusal to look into a directory into which root would look: what is there cannot be seen.
func (j *judge) pardon(place *place, errno unix.Errno) unix.Errno {
	if errno == unix.EACCES && place.unseen && j.isBlind() {
		return 0
	}
	return errno
}

// readOnly is EROFS on a file system, or by a mount, that is.
func readOnly(n node) unix.Errno {
	var fs unix.Statfs_t
	if !n.virtual && unix.Fstatfs(n.fd, &fs) == nil && fs.Flags&unix.ST_RDONLY != 0 {
		return unix.EROFS
	}
	return 0
}

// mayAdd tells whether the test may make a name in the directory. Where the kernel alone makes files, creating one by open is EACCES and by other calls
// EPERM, and /proc has no names that it does not know.
func (j *judge) mayAdd(directory node, byOpen bool) unix.Errno {
	var fs unix.Statfs_t
	if directory.virtual || unix.Fstatfs(directory.fd, &fs) != nil {
		return 0
	}
	if fs.Type == unix.PROC_SUPER_MAGIC {
		return unix.ENOENT
	}
	if fs.Flags&unix.ST_RDONLY != 0 {
		return unix.EROFS
	}
	if errno := j.permits(directory, unix.W_OK|unix.X_OK); errno != 0 {
		return errno
	}
	switch {
	case !slices.Contains(fixed, int64(fs.Type)):
		return 0
	case byOpen:
		return unix.EACCES
	}
	return unix.EPERM
}

// fixed are file systems in which only the kernel makes files.
var fixed = []int64{
	unix.SYSFS_MAGIC, unix.DEVPTS_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC, unix.SELINUX_MAGIC,
}

// mayRemove tells whether the test may remove a file's name from its directory: in a sticky one only an owner may.
func (j *judge) mayRemove(place *place) unix.Errno {
	if errno := j.mayAdd(place.parent, false); errno != 0 {
		return errno
	}
	if place.parent.stat.Mode&unix.S_ISVTX != 0 && !j.owns(place.parent) && !j.owns(*place.target) {
		return unix.EPERM
	}
	return 0
}

// owns tells whether the test may do what only a file's owner may.
func (j *judge) owns(n node) bool {
	return n.stat.Uid == j.uid() || j.can(unix.CAP_FOWNER)
}

// mayFollow is fs.protected_symlinks (proc_sys_fs(5)): in a sticky directory that all may write to, a link is followed only if it is the follower's
// or the directory's owner's.
func (j *judge) mayFollow(directory *node, link node) unix.Errno {
	const open = unix.S_ISVTX | anyWrites
	mine := link.stat.Uid == j.uid() || link.stat.Uid == directory.stat.Uid
	if directory.stat.Mode&open == open && !mine && j.sysctl("fs/protected_symlinks", 0) > 0 {
		return unix.EACCES
	}
	return 0
}

// mayReuse is fs.protected_regular and fs.protected_fifos (proc_sys_fs(5)): in a sticky directory that others may write to, nobody, root neither,
// opens another one's file with O_CREAT.
func (j *judge) mayReuse(place *place) unix.Errno {
	directory := place.parent.stat
	if directory.Mode&unix.S_ISVTX == 0 || place.target.stat.Uid == directory.Uid || place.target.stat.Uid == j.uid() {
		return 0
	}
	var level int
	switch place.target.kind() {
	case unix.S_IFREG:
		level = j.sysctl("fs/protected_regular", 0)
	case unix.S_IFIFO:
		level = j.sysctl("fs/protected_fifos", 0)
	}
	const groupWrites = 0o020
	if level > 0 && directory.Mode&anyWrites != 0 || level > 1 && directory.Mode&groupWrites != 0 {
		return unix.EACCES
	}
	return 0
}

// mayChange tells whether attributes let a file be opened so: chattr +i and +a bind root too.
func mayChange(n node, flags uint64) unix.Errno {
	var attributes unix.Statx_t
	if n.virtual || unix.Statx(n.fd, "", unix.AT_EMPTY_PATH, 0, &attributes) != nil {
		return 0
	}
	appends := flags&unix.O_APPEND != 0 && flags&unix.O_TRUNC == 0
	if attributes.Attributes&unix.STATX_ATTR_IMMUTABLE != 0 || attributes.Attributes&unix.STATX_ATTR_APPEND != 0 && !appends {
		return unix.EPERM
	}
	return 0
}

// sysctl is otherwise where the kernel does not have it. Those of the network are the calling thread's.
func (j *judge) sysctl(name string, otherwise int) int {
	text, err := j.readProc("sys/" + name)
	if err != nil {
		return otherwise
	}
	number, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return otherwise
	}
	return number
}
