package kernelsource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxModules is more than the files of any kernel.
const maxModules = 100_000

// host is where the kernel shows itself and where its debug symbols are installed.
type host struct{ root, procPath, sysPath string }

// kernelFiles are where distributions put the kernel with its symbols, and where it lies that was built here: that one the root helper's unit does not see.
func (h host) kernelFiles(release string) []string {
	all := []string{
		"usr/lib/debug/boot/vmlinux-" + release,             // Debian, Ubuntu
		"usr/lib/debug/lib/modules/" + release + "/vmlinux", // RHEL, Fedora
		"usr/lib/debug/usr/lib/modules/" + release + "/vmlinux",
		"usr/lib/debug/boot/vmlinux-" + release + ".debug", // openSUSE
		"lib/modules/" + release + "/build/vmlinux",
	}
	for i := range all {
		all[i] = filepath.Join(h.root, all[i])
	}

	return all
}

// moduleFiles are the files of modules with symbols by the modules' names. Where there are several of one, the first place counts.
func (h host) moduleFiles(release string) map[string]string {
	found := make(map[string]string)

	for _, below := range []string{"usr/lib/debug/lib/modules", "usr/lib/debug/usr/lib/modules", "lib/modules"} {
		visited := 0

		_ = filepath.WalkDir(filepath.Join(h.root, below, release), func(path string, entry fs.DirEntry, err error) error {
			// What cannot be looked into is not there.
			if visited++; visited > maxModules {
				return fs.SkipAll
			} else if err != nil || entry.IsDir() {
				return nil
			}

			file, isModule := strings.CutSuffix(strings.TrimSuffix(entry.Name(), ".debug"), ".ko")
			name := strings.ReplaceAll(file, "-", "_")

			if _, known := found[name]; isModule && !known {
				found[name] = path
			}

			return nil
		})
	}

	return found
}

// notInstalled means that there is no file with symbols.
type notInstalled struct{ what string }

func (e notInstalled) Error() string { return e.what }

// open opens the first of some files that there is.
func open(paths []string, buildID string) (*object, *os.File, error) {
	for _, path := range paths {
		file, err := openFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) {
			continue
		} else if err != nil {
			return nil, nil, err
		}

		o, err := newObject(file, buildID)
		if err != nil {
			_ = file.Close()

			return nil, nil, fmt.Errorf("cannot use %s: %w", path, err)
		}

		return o, file, nil
	}

	return nil, nil, notInstalled{}
}
