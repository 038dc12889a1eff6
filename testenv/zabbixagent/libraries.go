package zabbixagent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/debian"
)

// dependencyDepth is how far the search for a missing library follows the packages' dependencies.
const dependencyDepth = 3

// completeLibraries unpacks beside the agent in dir the shared libraries that ldd misses, out of the packages that debs depend on.
func completeLibraries(apt *debian.Apt, dir string, debs []string) error {
	seen := []string{"libc6"}
	for range dependencyDepth {
		missing, err := missingLibraries(dir)
		if err != nil || len(missing) == 0 {
			return err
		}
		var wanted []string
		for _, deb := range debs {
			names, err := debian.Depends(deb)
			if err != nil {
				return err
			}
			for _, name := range names {
				if strings.HasPrefix(name, "lib") && !slices.Contains(seen, name) {
					wanted, seen = append(wanted, name), append(seen, name)
				}
			}
		}
		if len(wanted) == 0 {
			break
		}
		if debs, err = apt.Download(librarySuite, wanted...); err != nil {
			return err
		}
		for _, deb := range debs {
			if err := debian.Unpack(deb, filepath.Join(dir, "libraries")); err != nil {
				return err
			}
		}
	}
	missing, err := missingLibraries(dir)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("cannot find the shared libraries %s in Debian's packages; install them", strings.Join(missing, ", "))
	}
	return err
}

// libraryDirs returns the directories under the agent's dir that hold unpacked shared libraries.
func libraryDirs(dir string) ([]string, error) {
	var dirs []string
	for _, pattern := range []string{"lib/*-linux-*", "usr/lib/*-linux-*"} {
		found, err := filepath.Glob(filepath.Join(dir, "libraries", pattern))
		if err != nil {
			return nil, fmt.Errorf("cannot list the agent's libraries: %w; move the repository to a path without brackets", err)
		}
		dirs = append(dirs, found...)
	}
	return dirs, nil
}

func missingLibraries(dir string) ([]string, error) {
	dirs, err := libraryDirs(dir)
	if err != nil {
		return nil, err
	}
	command := exec.Command("ldd", filepath.Join(dir, agentProgram))
	command.Env = append(os.Environ(), "LC_ALL=C", libraryPath(dirs))
	// ldd fails where it reports a C library that is too old, and its output tells more than that.
	output, err := command.CombinedOutput()
	missing, tooOld := parseLdd(string(output))
	switch {
	case tooOld != "":
		return nil, fmt.Errorf("cannot run Debian 12's agent with this C library: %s; use Debian 12, Ubuntu 22.04 or newer", tooOld)
	case err != nil:
		return nil, fmt.Errorf("cannot list the agent's libraries: ldd: %w; install the package libc-bin", err)
	}
	return missing, nil
}

var (
	notFoundLine = regexp.MustCompile(`(?m)^\s*(\S+) => not found$`)
	tooOldLine   = regexp.MustCompile("version [`'](GLIBC_[0-9.]+)' not found")
)

// parseLdd returns the libraries that ldd does not find, and the version of the C library that it misses.
func parseLdd(output string) (missing []string, tooOld string) {
	for _, found := range notFoundLine.FindAllStringSubmatch(output, -1) {
		missing = append(missing, found[1])
	}
	if found := tooOldLine.FindStringSubmatch(output); found != nil {
		tooOld = found[1] + " is missing"
	}
	return missing, tooOld
}

func libraryPath(dirs []string) string { return "LD_LIBRARY_PATH=" + strings.Join(dirs, ":") }
