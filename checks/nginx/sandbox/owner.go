package sandbox

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// nullNumber is /dev/null, of which a test in another tree may have another file.
var nullNumber = unix.Mkdev(1, 3)

// unchanged is the owner or group -1.
const unchanged = ^uint32(0)

// chown is fchownat(directory, path, owner, group, flags).
func (j *judge) chown(c *call) answer {
	uid, gid := uint32(c.arguments[2]), uint32(c.arguments[3])
	if c.arguments[4]&unix.AT_EMPTY_PATH != 0 && j.empty(c) {
		return j.ofDescriptor(c, "chown", j.owner(uid, gid))
	}
	follow := c.arguments[4]&unix.AT_SYMLINK_NOFOLLOW == 0
	return j.change(c, "chown", c.arguments[0], c.arguments[1], follow, j.owner(uid, gid))
}

// fchown is fchown(descriptor, owner, group).
func (j *judge) fchown(c *call) answer {
	return j.ofDescriptor(c, "chown", j.owner(uint32(c.arguments[1]), uint32(c.arguments[2])))
}

// owner judges a change of owner and group: EPERM but for root, or for the owner who changes nothing.
func (j *judge) owner(uid, gid uint32) func(*place, *Write) unix.Errno {
	return func(place *place, change *Write) unix.Errno {
		change.UID, change.GID = changeTo(uid), changeTo(gid)
		stat := place.target.stat
		if errno := readOnly(*place.target); errno != 0 {
			return errno
		}
		nothing := (uid == unchanged || uid == stat.Uid) && (gid == unchanged || gid == stat.Gid || gid == j.identity.gid)
		mine := nothing && stat.Uid == j.uid()
		if !j.can(unix.CAP_CHOWN) && !mine {
			return unix.EPERM
		}
		if e := j.overlay.entries[place.path]; e != nil && place.target.virtual {
			if uid != unchanged {
				e.stat.Uid = uid
			}
			if gid != unchanged {
				e.stat.Gid = gid
			}
		}
		return 0
	}
}

func changeTo(id uint32) *uint32 {
	if id == unchanged {
		return nil
	}
	return &id
}

// chmod is fchmodat(directory, path, mode).
func (j *judge) chmod(c *call) answer {
	return j.change(c, "chmod", c.arguments[0], c.arguments[1], true, j.mode(uint32(c.arguments[2])))
}

// fchmod is fchmod(descriptor, mode).
func (j *judge) fchmod(c *call) answer {
	return j.ofDescriptor(c, "chmod", j.mode(uint32(c.arguments[1])))
}

func (j *judge) mode(mode uint32) func(*place, *Write) unix.Errno {
	mode &= 0o7777
	return func(place *place, change *Write) unix.Errno {
		change.Mode = &mode
		if errno := readOnly(*place.target); errno != 0 {
			return errno
		}
		if !j.owns(*place.target) {
			return unix.EPERM
		}
		if e := j.overlay.entries[place.path]; e != nil && place.target.virtual {
			e.stat.Mode = e.stat.Mode&unix.S_IFMT | mode
		}
		return 0
	}
}

// utime is utimensat(directory, path, times, flags); without a path it is of a descriptor.
func (j *judge) utime(c *call) answer {
	may := func(place *place, _ *Write) unix.Errno {
		if errno := readOnly(*place.target); errno != 0 {
			return errno
		}
		if !j.owns(*place.target) && j.permits(*place.target, unix.W_OK) != 0 {
			return unix.EPERM
		}
		return 0
	}
	if c.arguments[1] == 0 {
		return j.ofDescriptor(c, "utime", may)
	}
	follow := c.arguments[3]&unix.AT_SYMLINK_NOFOLLOW == 0
	return j.change(c, "utime", c.arguments[0], c.arguments[1], follow, may)
}

// empty tells whether the path that a call names is the empty one.
func (j *judge) empty(c *call) bool {
	written, errno := j.string(c, c.arguments[1])
	return errno == 0 && written == ""
}

// ofDescriptor judges a change of what a descriptor of the caller is open on, which may be the /dev/null that it was given instead of a file.
func (j *judge) ofDescriptor(c *call, action string, may func(*place, *Write) unix.Errno) answer {
	fd := int32(c.arguments[0])
	link := strconv.Itoa(c.pid) + "/fd/" + strconv.Itoa(int(fd))
	w := walk{judge: j}
	target, errno := w.open(j.proc, link, "", 0)
	defer w.place.close()
	if errno != 0 {
		return fail(unix.EBADF)
	}
	if target.kind() == unix.S_IFCHR && target.stat.Rdev == nullNumber {
		return success()
	}
	w.place.path, _ = j.directory(c.pid, fd)
	w.place.target, w.place.parent = &target, target
	change := newWrite(action, &w.place)
	return j.changed(change, &w.place, may(&w.place, &change))
}
