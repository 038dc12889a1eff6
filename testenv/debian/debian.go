// Package debian fetches packages and sources of any Debian suite through apt, with lists and caches of its own:
// the system's apt state is neither changed nor needed, nor is root. apt checks every file against Debian's signatures.
package debian

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
)

// Apt is a private apt.
type Apt struct{ dir string }

// Open returns the apt whose lists and files lie in dir. It fetches a list again after a day, and where the list names what the archive no longer has.
func Open(dir string) *Apt { return &Apt{dir: dir} }

// Download returns the .deb files of packages in suite, in their order, fetched where they are not there yet.
func (a *Apt) Download(suite string, packages ...string) ([]string, error) {
	debs := filepath.Join(a.dir, "debs")
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make a place for packages: %w; run this as the owner of the repository", err)
	}
	var files []string
	err := a.withList(index{suite, "deb"}, func(i index) error {
		// Where a file lies already, apt does not print it.
		printed, err := a.apt(i, a.dir, "apt-get", append([]string{"--print-uris", "download"}, packages...)...)
		if err != nil {
			return err
		}
		if _, err := a.apt(i, debs, "apt-get", append([]string{"download"}, packages...)...); err != nil {
			return err
		}
		files = nil
		for _, file := range parseURIs(printed) {
			files = append(files, filepath.Join(debs, file.name))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot fetch %s from Debian's %s: %w; check the network, or set %s to another mirror",
			strings.Join(packages, ", "), suite, err, mirrorVariable)
	}
	return files, nil
}

// Closure returns the .deb files of an empty machine that is to have packages of suite: of these, of what they depend on, and of what no Debian does without.
func (a *Apt) Closure(suite string, packages ...string) ([]string, error) {
	var names []string
	err := a.withList(index{suite, "deb"}, func(i index) error {
		arguments := []string{"install", "--print-uris", "--assume-yes", "--no-install-recommends", "?essential"}
		printed, err := a.apt(i, a.dir, "apt-get", append(arguments, packages...)...)
		if err != nil {
			return err
		}
		names = nil
		for _, file := range parseURIs(printed) {
			name, _, _ := strings.Cut(file.name, "_")
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot tell what %s depend on in Debian's %s: %w; check their names", strings.Join(packages, ", "), suite, err)
	}
	return a.Download(suite, names...)
}

// SourceFile returns the one file of a source package in suite whose name matches pattern (path.Match),
// checked against the SHA-256 in the suite's signed Sources.
func (a *Apt) SourceFile(suite, source, pattern string) (string, error) {
	var path string
	err := a.withList(index{suite, "deb-src"}, func(i index) error {
		printed, err := a.apt(i, a.dir, "apt-get", "--print-uris", "source", source)
		if err != nil {
			return err
		}
		file, err := onlyMatch(parseURIs(printed), pattern)
		if err != nil {
			return err
		}
		path = filepath.Join(a.dir, "sources", file.name)
		if file.matches(path) {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if _, err := a.apt(i, a.dir, helper, "download-file", file.uri, path, "SHA256:"+file.sha256); err != nil {
			return err
		}
		if !file.matches(path) {
			return fmt.Errorf("%s has not the SHA-256 of the signed list", file.name)
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("cannot fetch the source of %s from Debian's %s: %w; check the network, or set %s to another mirror",
			source, suite, err, mirrorVariable)
	}
	return path, nil
}

// fetchFailed is how apt says in C that the archive does not have a file, or not the one of the list.
const fetchFailed = "Failed to fetch"

// withList calls use with a list of today, and once more with a new one where a file of it is gone: the archive drops a file as soon as a newer one is there.
func (a *Apt) withList(i index, use func(index) error) error {
	unlock, err := builddir.Lock(filepath.Join(a.dir, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	fresh, err := a.update(i, false)
	if err != nil {
		return err
	}
	err = use(i)
	if err == nil || fresh || !strings.Contains(err.Error(), fetchFailed) {
		return err
	}
	if _, err := a.update(i, true); err != nil {
		return err
	}
	return use(i)
}

// apt runs one of apt's programs in dir with the private configuration and returns its standard output.
func (a *Apt) apt(i index, dir, program string, arguments ...string) ([]byte, error) {
	command := exec.Command(program, append([]string{"-c", a.conf(i)}, arguments...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "LC_ALL=C")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w (%s)", filepath.Base(program), arguments[0], err, tail(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// tail is the end of a program's output on one line: its last six lines, at most 600 bytes.
func tail(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) > 6 {
		lines = lines[len(lines)-6:]
	}
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	text := strings.Join(lines, " | ")
	if len(text) > 600 {
		text = "…" + text[len(text)-600:]
	}
	return text
}
