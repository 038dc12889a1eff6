package sandbox

import "golang.org/x/sys/unix"

// atFDCWD is AT_FDCWD as an argument: an int.
const atFDCWD uint64 = 0xffffff9c

// string reads a path from the caller's memory.
func (j *judge) string(c *call, address uint64) (string, unix.Errno) {
	text, err := readString(c.pid, address)
	return text, j.readable(c, err)
}

// readable turns an error of the caller's memory into the caller's own, and notes where it is not: memory that this process may not read.
func (j *judge) readable(c *call, err error) unix.Errno {
	errno := errnoOf(err)
	if errno == unix.EPERM || errno == unix.ENOSYS {
		j.fault(c, errMemory(err))
	}
	return errno
}

// change judges a call that changes a file that exists, and records it.
func (j *judge) change(c *call, action string, directory, address uint64, follow bool, may func(*place, *Write) unix.Errno) answer {
	written, errno := j.string(c, address)
	if errno != 0 {
		return fail(errno)
	}
	place, errno := j.find(c, directory, written, follow)
	defer place.close()
	change := newWrite(action, place)
	switch {
	case errno != 0:
	case place.target == nil:
		errno = unix.ENOENT
	case place.slash && place.target.kind() != unix.S_IFDIR:
		errno = unix.ENOTDIR
	default:
		errno = may(place, &change)
	}
	return j.changed(change, place, errno)
}

// changed records the change, which is judged now.
func (j *judge) changed(change Write, place *place, errno unix.Errno) answer {
	errno = j.pardon(place, errno)
	change.Errno = errnoName(errno)
	j.record.write(change)
	return fail(errno)
}

// add judges a call that makes a new name, and records it.
func (j *judge) add(c *call, action string, directory, address uint64, mode uint32) answer {
	written, errno := j.string(c, address)
	if errno != 0 {
		return fail(errno)
	}
	place, errno := j.find(c, directory, written, false)
	defer place.close()
	change := newWrite(action, place)
	switch {
	case errno != 0:
	case place.target != nil:
		errno = unix.EEXIST
	case place.slash && mode&unix.S_IFMT != unix.S_IFDIR:
		errno = unix.ENOENT
	default:
		errno = j.mayAdd(place.parent, false)
	}
	if errno == 0 && place.target == nil {
		errno = j.create(*place, written, mode&^j.identity.umask)
	}
	return j.changed(change, place, errno)
}
