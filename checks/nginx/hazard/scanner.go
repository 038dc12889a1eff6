package hazard

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxFiles   = 5000
	maxEntries = 5000
	maxScripts = 256
	// maxFile is more than any table or script that somebody wrote.
	maxFile = 256 << 10
	// maxKept bounds what is remembered before it is sorted.
	maxKept = 1000
)

// scriptName is the name of a script that its interpreter is told.
var scriptName = regexp.MustCompile(`\.(?:sh|bash|py|pl|php|rb)$`)

// scanner looks through the files of a host.
type scanner struct {
	root       string
	files      int
	scripts    map[string]bool
	places     map[Place]bool
	incomplete bool
	unreadable map[string]bool
}

// line is a line of a file, with those that a backslash continues it on.
type line struct {
	number int
	text   string
}

// read returns the lines of a regular file; none of one that is not there.
func (s *scanner) read(path string) []line {
	if s.files++; s.files > maxFiles {
		s.incomplete = true

		return nil
	}

	// Whoever puts a pipe there must not have us wait.
	file, err := os.OpenFile(filepath.Join(s.root, path), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		s.addUnreadable(path, err)

		return nil
	}
	defer func() { _ = file.Close() }()

	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}

	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	s.addUnreadable(path, err)

	return logicalLines(string(text))
}

func (s *scanner) addUnreadable(path string, err error) {
	if errors.Is(err, fs.ErrPermission) && len(s.unreadable) < maxKept {
		s.unreadable[path] = true
	}
}

func logicalLines(text string) []line {
	var (
		all     []line
		pending line
		number  int
	)

	for piece := range strings.Lines(text) {
		number++

		if pending.number == 0 {
			pending.number = number
		}

		piece = strings.TrimRight(piece, "\r\n")

		more, continues := strings.CutSuffix(piece, `\`)
		if pending.text += more; continues {
			pending.text += " "

			continue
		}

		all, pending = append(all, pending), line{}
	}

	if pending.number > 0 {
		all = append(all, pending)
	}

	return all
}

// list returns the names in a directory that programs which take whole directories would take.
func (s *scanner) list(dir string) []string {
	opened, err := os.Open(filepath.Join(s.root, dir))
	if err != nil {
		s.addUnreadable(dir, err)

		return nil
	}
	defer func() { _ = opened.Close() }()

	names, err := opened.Readdirnames(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		s.addUnreadable(dir, err)
	}

	slices.Sort(names)

	return slices.DeleteFunc(names, isBackup)
}

// isBackup tells what cron, sudo and systemd leave alone.
func isBackup(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") ||
		strings.Contains(name, ".dpkg-") || strings.Contains(name, ".rpm")
}

// take looks at one command line, and into the scripts that it names.
func (s *scanner) take(kind Kind, path string, l line, command string) {
	found := parseCommand(command)

	if found.test != "" {
		s.add(Place{Kind: kind, File: path, Line: l.number, Test: found.test})
	}

	for _, script := range found.paths {
		s.script(kind, script, fmt.Sprintf("%s:%d", path, l.number))
	}
}

func (s *scanner) add(p Place) {
	if s.places[p] = true; len(s.places) > maxKept {
		delete(s.places, p)

		s.incomplete = true
	}
}

// script looks into a file that a command names, if it is a script; not further.
func (s *scanner) script(kind Kind, path, via string) {
	if len(s.scripts) >= maxScripts {
		s.incomplete = true

		return
	}

	lines := s.read(path)
	if len(lines) == 0 || !strings.HasPrefix(lines[0].text, "#!") && !scriptName.MatchString(path) {
		return
	}

	s.scripts[path] = true

	for _, l := range lines {
		if found := parseCommand(l.text); found.test != "" {
			s.add(Place{Kind: kind, File: path, Line: l.number, Test: found.test, Via: via})
		}
	}
}
