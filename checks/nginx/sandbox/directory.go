package sandbox

import "golang.org/x/sys/unix"

// mkdir is mkdirat(directory, path, mode).
func (j *judge) mkdir(c *call) answer {
	return j.add(c, "mkdir", c.arguments[0], c.arguments[1], unix.S_IFDIR|uint32(c.arguments[2])&0o1777)
}

// mknod is mknodat(directory, path, mode, device).
func (j *judge) mknod(c *call) answer {
	mode := uint32(c.arguments[2])
	switch mode & unix.S_IFMT {
	case 0:
		mode |= unix.S_IFREG
	case unix.S_IFDIR:
		return fail(unix.EPERM)
	case unix.S_IFCHR, unix.S_IFBLK:
		if !j.can(unix.CAP_MKNOD) {
			return fail(unix.EPERM)
		}
	}
	return j.add(c, "mknod", c.arguments[0], c.arguments[1], mode)
}

// symlink is symlinkat(target, directory, path). The link is seen as an empty file.
func (j *judge) symlink(c *call) answer {
	return j.add(c, "symlink", c.arguments[1], c.arguments[2], unix.S_IFREG|0o777)
}

// link is linkat(directory, path, newDirectory, newPath, flags). The new name is seen as an empty file.
func (j *judge) link(c *call) answer {
	follow := c.arguments[4]&unix.AT_SYMLINK_FOLLOW != 0
	if errno := j.exists(c, c.arguments[0], c.arguments[1], follow, nil); errno != 0 {
		return fail(errno)
	}
	return j.add(c, "link", c.arguments[2], c.arguments[3], unix.S_IFREG|0o666)
}

// unlink is unlinkat(directory, path, flags).
func (j *judge) unlink(c *call) answer {
	action, wanted := "unlink", func(n *node) unix.Errno {
		if n.kind() == unix.S_IFDIR {
			return unix.EISDIR
		}
		return 0
	}
	if c.arguments[2]&unix.AT_REMOVEDIR != 0 {
		action, wanted = "rmdir", func(n *node) unix.Errno {
			if n.kind() != unix.S_IFDIR {
				return unix.ENOTDIR
			}
			return 0
		}
	}
	return j.change(c, action, c.arguments[0], c.arguments[1], false, func(place *place, _ *Write) unix.Errno {
		errno := j.mayRemove(place)
		if errno == 0 {
			errno = wanted(place.target)
		}
		if errno == 0 {
			errno = j.remove(place)
		}
		return errno
	})
}

// remove lets a name be gone for the test.
func (j *judge) remove(place *place) unix.Errno {
	return j.overlay.set(*place, place.path, &entry{removed: true})
}

// rename is renameat2(directory, path, newDirectory, newPath, flags). The new name is seen as a file or directory that is empty.
func (j *judge) rename(c *call) answer {
	written, errno := j.string(c, c.arguments[3])
	if errno != 0 {
		return fail(errno)
	}
	to, errno := j.find(c, c.arguments[2], written, false)
	defer to.close()
	if errno == 0 {
		errno = j.mayAdd(to.parent, false)
	}
	if errno == 0 && to.target != nil {
		errno = j.mayRemove(to)
	}
	return j.change(c, "rename", c.arguments[0], c.arguments[1], false, func(from *place, change *Write) unix.Errno {
		change.To = to.path
		if errno == 0 {
			errno = j.mayRemove(from)
		}
		if errno == 0 {
			errno = j.create(*to, written, from.target.stat.Mode)
		}
		if errno == 0 {
			errno = j.remove(from)
		}
		return errno
	})
}

// exists tells whether a path leads to a file, and shows it.
func (j *judge) exists(c *call, directory, address uint64, follow bool, show func(*node) unix.Errno) unix.Errno {
	written, errno := j.string(c, address)
	if errno != 0 {
		return errno
	}
	place, errno := j.find(c, directory, written, follow)
	defer place.close()
	switch {
	case errno != 0:
		return errno
	case place.target == nil:
		return unix.ENOENT
	case place.slash && place.target.kind() != unix.S_IFDIR:
		return unix.ENOTDIR
	case show == nil:
		return 0
	}
	return show(place.target)
}
