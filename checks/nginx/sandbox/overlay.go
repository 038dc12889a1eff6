package sandbox

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// overlay is what the test believes to have made or removed, by path without symbolic links.
type overlay struct {
	// bytes is how long all paths are.
	bytes   int
	entries map[string]*entry
	// names are the last names of those paths, also as the test wrote them: most paths can be told to have none by these alone.
	names map[string]struct{}
}

// entry is one file, directory or socket.
type entry struct {
	removed bool
	stat    unix.Stat_t
}

func newOverlay() overlay {
	return overlay{entries: map[string]*entry{}, names: map[string]struct{}{}}
}

// maxPathBytes bounds the memory of the overlay, and that of the result.
const maxPathBytes = 64 << 20

// set remembers an entry that the test called written, or is ENOSPC.
func (o *overlay) set(place place, written string, e *entry) unix.Errno {
	if o.bytes += len(place.path) + len(written); o.bytes > maxPathBytes {
		return unix.ENOSPC
	}
	o.entries[place.path] = e
	o.names[path.Base(place.path)] = struct{}{}
	o.names[path.Base(written)] = struct{}{}
	return 0
}

// may tells whether a path could lead to or through an entry.
func (o *overlay) may(written string) bool {
	if len(o.entries) == 0 {
		return false
	}
	for name := range strings.SplitSeq(written, "/") {
		if _, ok := o.names[name]; ok {
			return true
		}
	}
	return false
}

// create makes an entry with the permissions of a new file. Its numbers are those of no real inode.
func (j *judge) create(place place, written string, mode uint32) unix.Errno {
	const firstInode = 1 << 62
	now := unix.Timespec{}
	// It cannot fail: the clock exists and the pointer is good.
	_ = unix.ClockGettime(unix.CLOCK_REALTIME, &now)
	e := &entry{stat: unix.Stat_t{
		Dev: place.parent.stat.Dev, Ino: firstInode + uint64(len(j.overlay.entries)), Nlink: 1, Mode: mode,
		Uid: j.identity.uid, Gid: j.identity.gid, Blksize: pageSize, Atim: now, Mtim: now, Ctim: now,
	}}
	if mode&unix.S_IFMT == unix.S_IFDIR {
		e.stat.Nlink = 2
	}
	if place.parent.stat.Mode&unix.S_ISGID != 0 {
		e.stat.Gid = place.parent.stat.Gid
	}
	return j.overlay.set(place, written, e)
}
