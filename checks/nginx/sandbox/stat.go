package sandbox

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// stat is newfstatat(directory, path, buffer, flags). The kernel answers for all but the overlay.
func (j *judge) stat(c *call) answer {
	follow := c.arguments[3]&unix.AT_SYMLINK_NOFOLLOW == 0
	return j.look(c, follow, func(n *node) unix.Errno {
		return j.show(c, c.arguments[2], unsafe.Slice((*byte)(unsafe.Pointer(&n.stat)), unsafe.Sizeof(n.stat)))
	})
}

// statx is statx(directory, path, flags, mask, buffer).
func (j *judge) statx(c *call) answer {
	follow := c.arguments[2]&unix.AT_SYMLINK_NOFOLLOW == 0
	return j.look(c, follow, func(n *node) unix.Errno {
		s := n.stat
		time := func(t unix.Timespec) unix.StatxTimestamp {
			return unix.StatxTimestamp{Sec: t.Sec, Nsec: uint32(t.Nsec)}
		}
		shown := unix.Statx_t{
			Mask: unix.STATX_BASIC_STATS, Blksize: uint32(s.Blksize), Nlink: uint32(s.Nlink), Uid: s.Uid, Gid: s.Gid, Mode: uint16(s.Mode), Ino: s.Ino,
			Atime: time(s.Atim), Ctime: time(s.Ctim), Mtime: time(s.Mtim), Dev_major: unix.Major(s.Dev), Dev_minor: unix.Minor(s.Dev),
		}
		return j.show(c, c.arguments[4], unsafe.Slice((*byte)(unsafe.Pointer(&shown)), unsafe.Sizeof(shown)))
	})
}

// access is faccessat2(directory, path, mode, flags). The test may do everything with what it made.
func (j *judge) access(c *call) answer {
	return j.look(c, true, func(*node) unix.Errno { return 0 })
}

// look answers for a path of the overlay and lets the kernel answer for all others.
func (j *judge) look(c *call, follow bool, show func(*node) unix.Errno) answer {
	if len(j.overlay.entries) == 0 {
		return allow()
	}
	written, errno := j.string(c, c.arguments[1])
	if errno != 0 {
		return fail(errno)
	}
	if !j.overlay.may(written) {
		return allow()
	}
	place, errno := j.find(c, c.arguments[0], written, follow)
	defer place.close()
	if errno != 0 {
		return fail(errno)
	}
	e, known := j.overlay.entries[place.path]
	switch {
	case !known && place.target == nil:
		return fail(unix.ENOENT)
	case !known:
		return allow()
	case e.removed:
		return fail(unix.ENOENT)
	case place.slash && place.target.kind() != unix.S_IFDIR:
		return fail(unix.ENOTDIR)
	}
	return fail(show(place.target))
}

// show writes what a file is into the caller's memory.
func (j *judge) show(c *call, address uint64, shown []byte) unix.Errno {
	if !c.waits() {
		return unix.EINTR
	}
	return j.readable(c, writeMemory(c.pid, address, shown))
}
