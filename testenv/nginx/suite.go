package nginx

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

// Suite is a release of Debian, which stands for its version of nginx.
type Suite string

// The suites that Debian's mirrors serve.
const (
	// Bullseye has 1.18.0, whose configuration test takes UDP datagrams from a running nginx.
	Bullseye Suite = "bullseye"
	// Bookworm has 1.22.1; it stands for no suite.
	Bookworm Suite = "bookworm"
	// Trixie has 1.26.3.
	Trixie Suite = "trixie"
	// Sid has 1.30.6 or what has come after it.
	Sid Suite = "sid"
)

// Suites returns all suites, oldest first.
func Suites() []Suite { return []Suite{Bullseye, Bookworm, Trixie, Sid} }

const programPath = "usr/sbin/nginx"

// common is what every suite calls by one name.
var common = []string{"nginx-common", "libnginx-mod-stream", "libc6", "libcrypt1", "zlib1g"}

func (s Suite) packages() ([]string, error) {
	switch s {
	case Bullseye:
		return append([]string{"nginx-core", "libpcre3", "libssl1.1"}, common...), nil
	case Bookworm:
		return append([]string{"nginx", "libpcre2-8-0", "libssl3"}, common...), nil
	case Trixie, Sid:
		return append([]string{"nginx", "libpcre2-8-0", "libssl3t64", "libzstd1"}, common...), nil
	}
	return nil, fmt.Errorf("cannot tell which packages nginx is of in Debian's %q; use one of %v", string(s), Suites())
}

// takesLogOption tells whether nginx has the option -e, which came with 1.19.5.
func (s Suite) takesLogOption() bool { return s != Bullseye }

// Build is an unpacked nginx, which runs with the libraries of its own suite wherever and by whomever it is started.
type Build struct {
	// Path is the program.
	Path string
	// Modules is the directory of its modules, such as ngx_stream_module.so.
	Modules string

	etc string
}

// Install unpacks nginx where it is not there yet, and returns the path of the program.
func Install() (string, error) {
	build, err := InstallSuite(Bookworm)
	return build.Path, err
}

// InstallSuite unpacks the nginx of a suite where it is not there yet.
func InstallSuite(s Suite) (Build, error) {
	packages, err := s.packages()
	if err != nil {
		return Build{}, err
	}
	dir, err := builddir.Path("nginx", string(s))
	if err != nil {
		return Build{}, err
	}
	// The program names its libraries by their absolute paths, so what is unpacked holds for this place only.
	version := strings.Join(append(slices.Clone(packages), dir), " ")
	if err := builddir.Once(dir, version, func(empty string) error { return unpack(s, packages, empty, dir) }); err != nil {
		return Build{}, fmt.Errorf("cannot install nginx of Debian's %s: %w", s, err)
	}
	return Build{
		Path:    filepath.Join(dir, programPath),
		Modules: filepath.Join(dir, "usr/lib/nginx/modules"),
		etc:     filepath.Join(dir, "etc/nginx"),
	}, nil
}

// unpack unpacks packages in a directory that is going to be at the path final.
func unpack(s Suite, packages []string, dir, final string) error {
	lists, err := builddir.Path("apt")
	if err != nil {
		return err
	}
	debs, err := debian.Open(lists).Download(string(s), packages...)
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if err := debian.Unpack(deb, dir); err != nil {
			return err
		}
	}
	return useOwnLibraries(dir, final)
}

// useOwnLibraries writes into the program where its libraries and its dynamic linker are. An environment variable would
// be lost where nginx is started with a clean environment, and could not bring another C library.
func useOwnLibraries(dir, final string) error {
	libraries, err := inside(dir, final, "lib/*-linux-*", "usr/lib/*-linux-*")
	if err != nil {
		return err
	}
	linkers, err := inside(dir, final, "lib/*-linux-*/ld-linux-*.so.*", "usr/lib/*-linux-*/ld-linux-*.so.*")
	if err != nil {
		return err
	}
	if len(linkers) == 0 {
		return fmt.Errorf("cannot find the dynamic linker among Debian's files; report this machine's architecture")
	}
	tool, err := program.Programs("patchelf", "patchelf")
	if err != nil {
		return err
	}
	// An RPATH serves what the C library loads by itself too; a RUNPATH does not, see ld.so(8).
	patch := tool.Command("usr/bin/patchelf", "--set-interpreter", linkers[0],
		"--force-rpath", "--set-rpath", strings.Join(libraries, ":"), filepath.Join(dir, programPath))
	if output, err := patch.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot give nginx its libraries: patchelf: %w (%s); remove build/nginx and build/patchelf and try again", err, output)
	}
	return nil
}

// inside returns what matches the patterns in dir, as paths in final.
func inside(dir, final string, patterns ...string) ([]string, error) {
	var all []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("cannot list the libraries of nginx: %w; move the repository to a path without brackets", err)
		}
		for _, path := range found {
			all = append(all, final+strings.TrimPrefix(path, dir))
		}
	}
	return all, nil
}
