package sandbox

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// writing are the flags of openat(2) that can change a file or make one. O_ACCMODE without O_RDONLY is 3, which opens for neither.
const writing = unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC | (unix.O_TMPFILE &^ unix.O_DIRECTORY)

// open is openat(directory, path, flags, mode). What is read is really opened by the caller; what would be written is /dev/null.
func (j *judge) open(c *call) answer {
	written, errno := j.string(c, c.arguments[1])
	if errno != 0 {
		return fail(errno)
	}
	flags := c.arguments[2]
	if flags&unix.O_PATH == 0 && flags&writing != 0 {
		return j.openToWrite(c, written, flags)
	}
	if path, known := j.absolute(c.pid, c.arguments[0], written); known && written != "" {
		j.record.read(path, flags&unix.O_DIRECTORY != 0)
	}
	if !j.overlay.may(written) {
		return allow()
	}
	return j.openToRead(c, written, flags)
}

// openToRead is for a path that the test may have made: such a file is empty.
func (j *judge) openToRead(c *call, written string, flags uint64) answer {
	place, errno := j.find(c, c.arguments[0], written, flags&unix.O_NOFOLLOW == 0)
	defer place.close()
	_, known := j.overlay.entries[place.path]
	switch {
	case errno != 0:
		return fail(errno)
	case place.target == nil:
		return fail(unix.ENOENT)
	case !known:
		return allow()
	case place.target.kind() == unix.S_IFSOCK:
		return fail(unix.ENXIO)
	case place.target.kind() == unix.S_IFDIR:
		// There is no empty directory to give.
		return fail(unix.EACCES)
	case flags&unix.O_DIRECTORY != 0 || place.slash:
		return fail(unix.ENOTDIR)
	}
	return give(nullDevice, j.null, flags&unix.O_CLOEXEC != 0)
}

func (j *judge) openToWrite(c *call, written string, flags uint64) answer {
	creates := flags&unix.O_CREAT != 0
	exclusive := creates && flags&unix.O_EXCL != 0
	place, errno := j.find(c, c.arguments[0], written, flags&unix.O_NOFOLLOW == 0 && !exclusive)
	defer place.close()
	change := newWrite("open", place)
	if errno == 0 {
		errno = j.mayOpen(place, flags)
	}
	errno = j.pardon(place, errno)
	if errno == 0 && creates && place.target == nil {
		errno = j.create(*place, written, unix.S_IFREG|uint32(c.arguments[3])&0o7777&^j.identity.umask)
	}
	change.Errno = errnoName(errno)
	j.record.write(change)
	if errno != 0 {
		return fail(errno)
	}
	closeOnExec := flags&unix.O_CLOEXEC != 0
	switch target := place.target; {
	case target == nil:
	case target.stat.Dev == j.outputStat.Dev && target.stat.Ino == j.outputStat.Ino:
		return give(outputPipe, j.output, closeOnExec)
	case !target.virtual && target.kind() == unix.S_IFREG && flags&(unix.O_ACCMODE|unix.O_TRUNC) == unix.O_RDONLY:
		return j.reopen(target, closeOnExec)
	}
	return give(nullDevice, j.null, closeOnExec)
}

// mayOpen is the order of checks of do_open and lookup_open (fs/namei.c).
func (j *judge) mayOpen(place *place, flags uint64) unix.Errno {
	creates, target := flags&unix.O_CREAT != 0, place.target
	if flags&unix.O_TMPFILE == unix.O_TMPFILE {
		if target == nil {
			return unix.ENOENT
		}
		if target.kind() != unix.S_IFDIR {
			return unix.ENOTDIR
		}
		return j.mayAdd(*target, true)
	}
	if target == nil {
		switch {
		case !creates:
			return unix.ENOENT
		case place.slash:
			return unix.EISDIR
		}
		return j.mayAdd(place.parent, true)
	}
	switch {
	case creates && flags&unix.O_EXCL != 0:
		return unix.EEXIST
	case target.kind() == unix.S_IFLNK:
		return unix.ELOOP
	case target.kind() == unix.S_IFDIR:
		return unix.EISDIR
	case place.slash, flags&unix.O_DIRECTORY != 0:
		return unix.ENOTDIR
	}
	if creates {
		if errno := j.mayReuse(place); errno != 0 {
			return errno
		}
	}
	return j.mayUse(*target, flags)
}

// mayUse tells whether an existing file that is no directory may be opened so.
func (j *judge) mayUse(target node, flags uint64) unix.Errno {
	if isTerminal(target) || target.kind() == unix.S_IFSOCK {
		// The test has no terminal: it is a session of its own. Sockets cannot be opened.
		return unix.ENXIO
	}
	var mode uint32
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		mode = unix.R_OK
	case unix.O_WRONLY:
		mode = unix.W_OK
	default:
		mode = unix.R_OK | unix.W_OK
	}
	if flags&unix.O_TRUNC != 0 {
		mode |= unix.W_OK
	}
	if errno := j.permits(target, mode); errno != 0 {
		return errno
	}
	if mode&unix.W_OK == 0 {
		return 0
	}
	return mayChange(target, flags)
}

// isTerminal is for /dev/tty, the terminal of whoever opens it.
func isTerminal(n node) bool {
	return n.kind() == unix.S_IFCHR && n.stat.Rdev == unix.Mkdev(5, 0)
}

// reopen gives an existing file to read, that O_CREAT would have made otherwise.
func (j *judge) reopen(target *node, closeOnExec bool) answer {
	fd, err := unix.Openat(j.proc, "self/fd/"+strconv.Itoa(target.fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fail(errnoOf(err))
	}
	return give(readOnlyFile, fd, closeOnExec)
}

// truncate is truncate(path, length).
func (j *judge) truncate(c *call) answer {
	return j.change(c, "truncate", atFDCWD, c.arguments[0], true, func(place *place, _ *Write) unix.Errno {
		if place.target.kind() == unix.S_IFDIR {
			return unix.EISDIR
		}
		return j.permits(*place.target, unix.W_OK)
	})
}
