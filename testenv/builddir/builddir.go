// Package builddir knows the repository's build directory, which holds everything that is fetched or made and nothing that is committed.
package builddir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// completeFile stands in a directory that Once has filled and holds the version it was filled for.
const completeFile = ".complete"

// Root returns the repository's root: the nearest directory with a go.mod, from the working directory upwards.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("cannot find the repository: %w; run this inside an existing directory", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("cannot find the repository: no go.mod in %s or above; run this inside the repository", start)
		}
	}
}

// Path returns the path of elem in the build directory, which need not exist.
func Path(elem ...string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root, "build"}, elem...)...), nil
}

// Complete tells whether Once has filled dir for version.
func Complete(dir, version string) bool {
	have, err := os.ReadFile(filepath.Join(dir, completeFile))
	return err == nil && strings.TrimSpace(string(have)) == version
}

// Once makes dir what fill makes of an empty directory, unless an earlier call for the same version has, in this process or another.
// A fill that fails leaves dir as it was.
func Once(dir, version string, fill func(empty string) error) error {
	if Complete(dir, version) {
		return nil
	}
	unlock, err := Lock(dir + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if Complete(dir, version) {
		return nil
	}
	next, last := dir+".new", dir+".old"
	if err := errors.Join(os.RemoveAll(next), os.RemoveAll(last), os.Mkdir(next, 0o755)); err != nil {
		return fmt.Errorf("cannot make %s: %w; make its parent writable for you", next, err)
	}
	if err := fill(next); err != nil {
		return errors.Join(err, os.RemoveAll(next))
	}
	if err := os.WriteFile(filepath.Join(next, completeFile), []byte(version+"\n"), 0o644); err != nil {
		return fmt.Errorf("cannot finish %s: %w; free space on its disk and try again", next, err)
	}
	if err := os.Rename(dir, last); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot replace %s: %w; remove it and try again", dir, err)
	}
	if err := os.Rename(next, dir); err != nil {
		return fmt.Errorf("cannot replace %s: %w; remove it and try again", dir, err)
	}
	return os.RemoveAll(last)
}

// Lock waits for the exclusive lock that path stands for, makes the file and its directory where they are missing, and returns what unlocks.
// The kernel drops the lock of a process that dies.
func Lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the directory of %s: %w; run this as the owner of the repository", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock %s: %w; run this as the owner of the repository", path, err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock %s: %w; move the repository to a file system with locks", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}
