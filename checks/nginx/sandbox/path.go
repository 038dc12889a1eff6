package sandbox

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// place is where a path leads in the root directory of the test.
type place struct {
	// path has no symbolic links, and may not exist.
	path string
	// parent is the directory of the last name. The root directory is its own.
	parent node
	// target is nil where the last name does not exist.
	target *node
	// slash is set where the path ends in one, so that only a directory will do.
	slash bool
	// unseen is set where the last name could not be looked for.
	unseen bool
	owned  []int
}

// node is a file of any kind: real with an O_PATH descriptor, or of the overlay.
type node struct {
	name    string
	fd      int
	stat    unix.Stat_t
	virtual bool
}

func (n node) kind() uint32 { return n.stat.Mode & unix.S_IFMT }

func (p *place) close() {
	for _, fd := range p.owned {
		_ = unix.Close(fd)
	}
}

// walk is a path's resolution (path_resolution(7)): what the kernel does, with the overlay in view and no way out of the root directory.
type walk struct {
	judge *judge
	pid   int
	// follow is whether a symbolic link as last name is followed.
	follow bool
	stack  []node
	names  []string
	links  int
	place  place
}

// maxLinks is MAXSYMLINKS of linux/namei.h, nameLimit is NAME_MAX.
const (
	maxLinks  = 40
	nameLimit = 255
)

// find resolves the path that a call names relative to directory. The place must be closed, also with an error.
func (j *judge) find(c *call, directory uint64, written string, follow bool) (*place, unix.Errno) {
	if written == "" {
		return &place{}, unix.ENOENT
	}
	written, known := j.absolute(c.pid, directory, written)
	if !known {
		return &place{}, unix.EBADF
	}
	w := walk{judge: j, pid: c.pid, follow: follow, stack: []node{{fd: j.root}}}
	if err := unix.Fstat(j.root, &w.stack[0].stat); err != nil {
		return &w.place, errnoOf(err)
	}
	w.push(written)
	errno := w.run()
	if errno != 0 {
		// The name that failed, and those after it.
		w.place.path = path.Join(append([]string{w.place.path}, w.names...)...)
	}
	return &w.place, errno
}

// absolute puts the directory before a relative path. A directory that is gone gives a path that does not exist.
func (j *judge) absolute(pid int, directory uint64, written string) (path string, known bool) {
	if strings.HasPrefix(written, "/") {
		return written, true
	}
	base, known := j.directory(pid, int32(directory))
	return base + "/" + written, known
}

// push puts the names of a path before those that are left.
func (w *walk) push(written string) {
	trimmed := strings.TrimRight(written, "/")
	if len(w.names) == 0 && trimmed != written {
		w.place.slash = true
	}
	w.names = append(strings.Split(trimmed, "/"), w.names...)
}

func (w *walk) top() *node { return &w.stack[len(w.stack)-1] }

func (w *walk) path(name string) string {
	names := make([]string, 0, len(w.stack)+1)
	for _, n := range w.stack {
		names = append(names, n.name)
	}
	return "/" + strings.TrimPrefix(path.Join(append(names, name)...), "/")
}

func (w *walk) run() unix.Errno {
	for len(w.names) > 0 {
		name := w.names[0]
		w.names = w.names[1:]
		if w.top().kind() != unix.S_IFDIR {
			return unix.ENOTDIR
		}
		switch name {
		case "", ".":
		case "..":
			w.stack = w.stack[:max(1, len(w.stack)-1)]
		default:
			if done, errno := w.step(name); done || errno != 0 {
				return errno
			}
		}
	}
	w.place.path, w.place.target = w.path(""), w.top()
	w.place.parent = w.stack[max(0, len(w.stack)-2)]
	return 0
}

// step goes to a name in the directory on top. It is done where that name is the last and does not exist.
func (w *walk) step(name string) (done bool, errno unix.Errno) {
	if len(name) > nameLimit {
		return false, unix.ENAMETOOLONG
	}
	w.place.path, w.place.parent = w.path(name), *w.top()
	next, errno := w.lookup(name)
	if errno == unix.ENOENT && len(w.names) == 0 {
		return true, 0
	}
	if errno != 0 {
		return false, errno
	}
	if next.kind() == unix.S_IFLNK && (len(w.names) > 0 || w.follow || w.place.slash) {
		return false, w.link(next)
	}
	w.stack = append(w.stack, next)
	return false, 0
}

func (w *walk) lookup(name string) (node, unix.Errno) {
	if e, ok := w.judge.overlay.entries[w.place.path]; ok {
		if e.removed {
			return node{}, unix.ENOENT
		}
		return node{name: name, fd: -1, stat: e.stat, virtual: true}, 0
	}
	if w.top().virtual {
		return node{}, unix.ENOENT
	}
	return w.open(w.top().fd, name, name, unix.O_NOFOLLOW)
}

// open takes the file of a path as a node called name.
func (w *walk) open(directory int, file, name string, flags int) (node, unix.Errno) {
	n := node{name: name}
	fd, err := unix.Openat(directory, file, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		w.place.unseen = errnoOf(err) == unix.EACCES
		return n, errnoOf(err)
	}
	w.place.owned = append(w.place.owned, fd)
	n.fd = fd
	if err := unix.Fstat(fd, &n.stat); err != nil {
		return n, errnoOf(err)
	}
	return n, 0
}
