// Package program unpacks programs of Debian 12 under build/, with the shared libraries that they need, and runs them in the foreground for tests.
// Nothing is installed.
package program

import (
	"cmp"
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

// Choice says what a bundle is of.
type Choice struct {
	// Suite is the release that Packages come from, bookworm by default; libraries are bookworm's in any case.
	Suite    string
	Packages []string
	// Also are packages of bookworm, whatever Suite is.
	Also []string
	// Without are libraries that nothing in the bundle needs to run, although a package depends on them.
	Without []string
	// Change mends what was unpacked, before anyone sees it.
	Change func(dir string) error
	// Changed is the version of Change: a bundle that another one made is made again.
	Changed string
}

// Files unpacks packages under build/name where they are not there yet, and nothing that they depend on.
func Files(name string, packages ...string) (*Bundle, error) {
	return Choice{Packages: packages}.Files(name)
}

// Programs unpacks packages under build/name where they are not there yet, and beside them all shared libraries that they depend on but the C library.
func Programs(name string, packages ...string) (*Bundle, error) {
	return Choice{Packages: packages}.Programs(name)
}

// Files is the function Files for a choice.
func (c Choice) Files(name string) (*Bundle, error) {
	return c.bundle(name, func(*debian.Apt, []string) ([]string, error) { return nil, nil })
}

// Programs is the function Programs for a choice.
func (c Choice) Programs(name string) (*Bundle, error) { return c.bundle(name, c.libraries) }

// version tells one choice from another.
func (c Choice) version() string {
	words := slices.Clone(c.Packages)
	if c.Suite != "" {
		words = append(words, "of", c.Suite)
	}
	for _, name := range c.Also {
		words = append(words, "+"+name)
	}
	for _, name := range c.Without {
		words = append(words, "-"+name)
	}
	if c.Changed != "" {
		words = append(words, "changed", c.Changed)
	}
	return strings.Join(words, " ")
}

func (c Choice) bundle(name string, further func(*debian.Apt, []string) ([]string, error)) (*Bundle, error) {
	dir, err := builddir.Path(name)
	if err != nil {
		return nil, err
	}
	lists, err := builddir.Path("apt")
	if err != nil {
		return nil, err
	}
	err = builddir.Once(dir, c.version(), func(empty string) error {
		apt := debian.Open(lists)
		debs, err := apt.Download(cmp.Or(c.Suite, suite), c.Packages...)
		if err != nil {
			return err
		}
		if len(c.Also) > 0 {
			also, err := apt.Download(suite, c.Also...)
			if err != nil {
				return err
			}
			debs = append(debs, also...)
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
		if c.Change != nil {
			return c.Change(empty)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot unpack %s: %w", name, err)
	}
	b := &Bundle{dir: dir}
	// The last two are for systemd's own programs and for PulseAudio's library.
	for _, pattern := range []string{"lib/*-linux-*", "usr/lib/*-linux-*", "usr/lib/*-linux-*/systemd", "usr/lib/*-linux-*/pulseaudio"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("cannot list the libraries of %s: %w; move the repository to a path without brackets", name, err)
		}
		b.libraries = append(b.libraries, found...)
	}
	return b, nil
}

// libraries returns the packages of shared libraries that debs depend on, and those that these depend on.
func (c Choice) libraries(apt *debian.Apt, debs []string) ([]string, error) {
	var all []string
	seen := append([]string{cLibrary}, c.Without...)
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
