package sandbox

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// link follows a symbolic link.
func (w *walk) link(link node) unix.Errno {
	if w.links++; w.links > maxLinks {
		return unix.ELOOP
	}
	directory := w.top()
	if errno := w.judge.mayFollow(directory, link); errno != 0 {
		return errno
	}
	buffer := make([]byte, pathLimit)
	n, err := unix.Readlinkat(link.fd, "", buffer)
	if err != nil {
		return errnoOf(err)
	}
	target := string(buffer[:n])
	if isProc(directory.fd) {
		if followed, errno := w.processLink(link, target); followed || errno != 0 {
			return errno
		}
	}
	if strings.HasPrefix(target, "/") {
		w.stack = w.stack[:1]
	}
	w.push(target)
	return 0
}

// processLink follows the links of /proc that mean another thing to every process that follows them, and those that lead to an open file by no path.
func (w *walk) processLink(link node, target string) (followed bool, errno unix.Errno) {
	const rootInode = 1
	inRoot := w.top().stat.Ino == rootInode
	switch {
	case inRoot && (link.name == "self" || link.name == "thread-self"):
		// The /proc in view may be another process namespace's, where this process has no number.
		process, errno := w.open(w.judge.proc, strconv.Itoa(w.pid), link.name, 0)
		if errno != 0 {
			return false, errno
		}
		w.stack = append(w.stack, process)
		return true, 0
	case inRoot:
		return false, 0
	}
	file, errno := w.open(w.top().fd, link.name, strings.TrimPrefix(target, "/"), 0)
	if errno != 0 {
		return false, errno
	}
	w.stack = append(w.stack[:1], file)
	return true, 0
}

func isProc(fd int) bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}

// directory is the path, in the root directory of the test, of a process's current directory (AT_FDCWD) or of a descriptor of its.
func (j *judge) directory(pid int, fd int32) (path string, known bool) {
	link := "/cwd"
	if fd != unix.AT_FDCWD {
		link = "/fd/" + strconv.Itoa(int(fd))
	}
	target := j.readLink(strconv.Itoa(pid) + link)
	if target == "" {
		return "", false
	}
	root := j.readLink(strconv.Itoa(pid) + "/root")
	return "/" + strings.TrimPrefix(strings.TrimPrefix(target, strings.TrimSuffix(root, "/")), "/"), true
}

// readLink is empty where the link cannot be read.
func (j *judge) readLink(path string) string {
	buffer := make([]byte, pathLimit)
	n, err := unix.Readlinkat(j.proc, path, buffer)
	if err != nil {
		return ""
	}
	return string(buffer[:n])
}

func errnoOf(err error) unix.Errno {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	if err != nil {
		return unix.EIO
	}
	return 0
}
