package kernels

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// archive is an initial file system for a kernel (Documentation/driver-api/early-userspace/buffer-format.rst, "newc").
type archive struct {
	content bytes.Buffer
	entries int
	err     error
}

// add writes one entry.
func (a *archive) add(name string, mode uint32, content []byte) {
	a.entries++
	// The fields are: magic, inode, mode, uid, gid, links, time, size, device of it and of the special file, length of the name, checksum.
	fmt.Fprintf(&a.content, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", a.entries, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0)
	a.content.WriteString(name)
	a.content.WriteByte(0)
	a.pad()
	a.content.Write(content)
	a.pad()
}

func (a *archive) pad() {
	for a.content.Len()%4 != 0 {
		a.content.WriteByte(0)
	}
}

const (
	regular   = 0o100000
	directory = 0o040000
)

func (a *archive) directory(name string) { a.add(name, directory|0o755, nil) }

// file adds a file of this machine.
func (a *archive) file(name, path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		a.err = err

		return
	}

	a.add(name, regular|0o755, content)
}

// tree adds a directory of this machine with all that is in it.
func (a *archive) tree(name, root string) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		inside := filepath.Join(name, strings.TrimPrefix(path, root))
		if entry.IsDir() {
			a.directory(inside)
		} else if entry.Type().IsRegular() {
			a.file(inside, path)
		}

		return nil
	})
	if err != nil {
		a.err = err
	}
}

// bytes is the whole archive.
func (a *archive) bytes() ([]byte, error) {
	if a.err != nil {
		return nil, fmt.Errorf("cannot make a file system for a kernel: %w; make the file readable", a.err)
	}

	a.add("TRAILER!!!", 0, nil)

	return a.content.Bytes(), nil
}
