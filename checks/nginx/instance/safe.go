package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	// maxLinks is how many links the kernel follows in a path.
	maxLinks = 40
	// writable are the bits of a group and of the world.
	writable = 0o022
)

// ErrUnsafe means that somebody other than root and the caller could have put something else at a path.
var ErrUnsafe = errors.New("not safe to use")

// SafeToRun has no error for a regular file that only root and the caller can change or replace: each directory and link
// on its path belongs to one of them and is not writable for a group or the world, unless, as in /tmp, only owners may
// replace what is in it. Where an access list allows more, the group's bits show it (acl(5)). For root that means root
// alone. It is for programs, for configuration files and for modules: to test a configuration is to run the modules that
// it loads.
func SafeToRun(path string) error {
	return onThisHost().check(path, 0)
}

// SafeDirectory is SafeToRun for a directory, whose files are taken whatever their names are.
func SafeDirectory(path string) error { return onThisHost().check(path, fs.ModeDir) }

type safety struct {
	lstat    func(string) (fs.FileInfo, error)
	readlink func(string) (string, error)
	trusted  []uint32
}

func onThisHost() safety {
	return safety{lstat: os.Lstat, readlink: os.Readlink, trusted: []uint32{0, uint32(os.Geteuid())}}
}

// check walks the path as the kernel does, component by component, and wants a file of that type at its end.
func (s safety) check(path string, wanted fs.FileMode) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%w: %s is not an absolute path; write it in full", ErrUnsafe, path)
	}

	at, rest, links := "/", strings.Split(path, "/"), 0

	info, err := s.component(at)
	for err == nil && len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]

		if name == "" || name == "." {
			continue
		}

		if !info.IsDir() {
			return fmt.Errorf("cannot use %s: %s is not a directory; correct the path", path, at)
		}

		next, above := filepath.Join(at, name), info
		if info, err = s.component(next); errors.Is(err, fs.ErrNotExist) && above.Mode().Perm()&writable != 0 {
			err = fmt.Errorf("%w: %s is missing, and anybody may make it in %s; put it there, or name another path", ErrUnsafe, next, at)
		}

		if err != nil {
			break
		}

		if info.Mode()&fs.ModeSymlink == 0 {
			at = next

			continue
		}

		if links++; links > maxLinks {
			return fmt.Errorf("cannot use %s: too many links; correct the path", path)
		}

		at, rest, err = s.follow(at, next, rest)
		if err == nil {
			info, err = s.component(at)
		}
	}

	if err != nil {
		return fmt.Errorf("cannot use %s: %w", path, err)
	}

	if info.Mode().Type() != wanted {
		kind := "regular file"
		if wanted == fs.ModeDir {
			kind = "directory"
		}

		return fmt.Errorf("cannot use %s: it is no %s; correct the path", path, kind)
	}

	if info.Mode().Perm()&writable != 0 {
		// What is added to a directory is taken, too.
		return fmt.Errorf("cannot use %s: %w", path, openToOthers(at))
	}

	return nil
}

func (s safety) follow(at, link string, rest []string) (string, []string, error) {
	target, err := s.readlink(link)
	if err != nil {
		return "", nil, err
	}

	if filepath.IsAbs(target) {
		at = "/"
	}

	return at, slices.Concat(strings.Split(target, "/"), rest), nil
}

// component looks at one directory, link or file.
func (s safety) component(path string) (fs.FileInfo, error) {
	info, err := s.lstat(path)
	if err != nil {
		return nil, err
	}

	status, ok := info.Sys().(*syscall.Stat_t)

	switch {
	case !ok || !slices.Contains(s.trusted, status.Uid):
		return nil, fmt.Errorf("%w: %s belongs to another user; run chown root %s", ErrUnsafe, path, path)
	case info.IsDir() && info.Mode()&fs.ModeSticky != 0:
		// Others may add to it, but not replace what is root's in it, and that is checked next (restricted deletion, chmod(1)).
	case info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&writable != 0:
		return nil, openToOthers(path)
	}

	return info, nil
}

func openToOthers(path string) error {
	return fmt.Errorf("%w: %s is writable for others; run chmod go-w %s", ErrUnsafe, path, path)
}
