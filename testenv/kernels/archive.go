package kernels

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// archive is an initial file system for a kernel (Documentation/driver-api/early-userspace/buffer-format.rst, "newc").
type archive struct {
	to      *bufio.Writer
	written int
	entries int
	err     error
}

// writeArchive writes to a file what fill adds.
func writeArchive(path string, fill func(*archive)) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot make a file system for a kernel: %w", err)
	}

	a := &archive{to: bufio.NewWriter(file)}
	fill(a)
	a.add(entry{name: "TRAILER!!!"}, nil)

	if err := errors.Join(a.err, a.to.Flush(), file.Close()); err != nil {
		return fmt.Errorf("cannot make a file system for a kernel: %w; make its files readable, and free space in %s", err, filepath.Dir(path))
	}

	return nil
}

// entry is a file's name, and what stat(2) tells of it.
type entry struct {
	name           string
	mode, uid, gid uint32
}

// add writes one entry.
func (a *archive) add(e entry, content []byte) {
	a.entries++
	a.write(fmt.Appendf(nil,
		// The fields are: magic, inode, mode, uid, gid, links, time, size, device of it and of the special file, length of the name, checksum.
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", a.entries, e.mode, e.uid, e.gid, 1, 0, len(content), 0, 0, 0, 0, len(e.name)+1, 0, e.name))
	a.write(content)
}

// write keeps to a multiple of 4. The writer remembers an error until it is flushed.
func (a *archive) write(content []byte) {
	const multiple = 4

	_, _ = a.to.Write(content)
	a.written += len(content)

	for ; a.written%multiple != 0; a.written++ {
		_ = a.to.WriteByte(0)
	}
}

func (a *archive) directory(name string) {
	a.add(entry{name: name, mode: syscall.S_IFDIR | 0o755}, nil)
}

// text adds a file of root's.
func (a *archive) text(name, content string) {
	a.add(entry{name: name, mode: syscall.S_IFREG | 0o644}, []byte(content))
}

// program adds a file of this machine that root may run.
func (a *archive) program(name, path string) {
	content, err := os.ReadFile(path)
	a.err = errors.Join(a.err, err)
	a.add(entry{name: name, mode: syscall.S_IFREG | 0o755}, content)
}

// tree adds a directory of this machine as it is, with all that is in it but special files.
func (a *archive) tree(name, root string) {
	a.err = errors.Join(a.err, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		var status syscall.Stat_t
		if err := syscall.Lstat(path, &status); err != nil {
			return err
		}

		var content []byte

		switch status.Mode & syscall.S_IFMT {
		case syscall.S_IFDIR:
		case syscall.S_IFREG:
			content, err = os.ReadFile(path)
		case syscall.S_IFLNK:
			var target string

			target, err = os.Readlink(path)
			content = []byte(target)
		default:
			return nil
		}

		inside := strings.TrimPrefix(filepath.Join(name, strings.TrimPrefix(path, root)), "/")
		if inside != "" {
			a.add(entry{name: inside, mode: status.Mode, uid: status.Uid, gid: status.Gid}, content)
		}

		return err
	}))
}
