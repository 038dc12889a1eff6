// Package program unpacks programs of Debian 12 under build/, with the shared libraries that they need, and runs them in the foreground for tests.
// Nothing is installed.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
)

const (
	suite = "bookworm"
	// cLibrary is the machine's own: it must be as new as Debian 12's.
	cLibrary = "libc6"
	// closureDepth is how far libraries' dependencies are followed; the longest chain known is 4.
	closureDepth = 8
)

// Bundle is some packages' files in one directory.
type Bundle struct {
	dir       string
	libraries []string
}

// Files unpacks packages under build/name where they are not there yet, and nothing that they depend on.
func Files(name string, packages ...string) (*Bundle, error) {
	return bundle(name, packages, func(*debian.Apt, []string) ([]string, error) { return nil, nil })
}

// Programs unpacks packages under build/name where they are not there yet, and beside them all shared libraries that they depend on but the C library.
func Programs(name string, packages ...string) (*Bundle, error) {
	return bundle(name, packages, libraries)
}

func bundle(name string, packages []string, further func(*debian.Apt, []string) ([]string, error)) (*Bundle, error) {
	dir, err := builddir.Path(name)
	if err != nil {
		return nil, err
	}
	lists, err := builddir.Path("apt")
	if err != nil {
		return nil, err
	}
	err = builddir.Once(dir, strings.Join(packages, " "), func(empty string) error {
		apt := debian.Open(lists)
		debs, err := apt.Download(suite, packages...)
		if err != nil {
			return err
		}
		more, err := further(apt, debs)
		if err != nil {
			return err
		}
		for _, deb := range slices.Concat(debs, more) {
			if err := debian.Unpack(deb, empty); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot unpack %s: %w", name, err)
	}
	b := &Bundle{dir: dir}
	// The last is for systemd's own programs.
	for _, pattern := range []string{"lib/*-linux-*", "usr/lib/*-linux-*", "usr/lib/*-linux-*/systemd"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("cannot list the libraries of %s: %w; move the repository to a path without brackets", name, err)
		}
		b.libraries = append(b.libraries, found...)
	}
	return b, nil
}

// libraries returns the packages of shared libraries that debs depend on, and those that these depend on.
func libraries(apt *debian.Apt, debs []string) ([]string, error) {
	var all []string
	seen := []string{cLibrary}
	for range closureDepth {
		var wanted []string
		for _, deb := range debs {
			names, err := debian.Depends(deb)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if strings.HasPrefix(name, "lib") && !slices.Contains(seen, name) {
					wanted, seen = append(wanted, name), append(seen, name)
				}
			}
		}
		if len(wanted) == 0 {
			return all, nil
		}
		var err error
		if debs, err = apt.Download(suite, wanted...); err != nil {
			return nil, err
		}
		all = append(all, debs...)
	}
	return nil, fmt.Errorf("cannot find an end to the libraries: more than %d depend on each other in a row; raise closureDepth", closureDepth)
}

// Path is the path of a file of the bundle.
func (b *Bundle) Path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

// Command prepares a program of the bundle to run with its libraries.
func (b *Bundle) Command(path string, arguments ...string) *exec.Cmd {
	command := exec.Command(b.Path(path), arguments...)
	command.Env = append(os.Environ(), "LC_ALL=C", "LD_LIBRARY_PATH="+strings.Join(b.libraries, ":"))
	return command
}
