package hazard

import (
	"path"
	"strings"
)

// unitDirs are those of the system manager, the one that counts most first (systemd.unit(5)).
var unitDirs = []string{
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
}

// units are the files of the units by name: the first file counts, and every drop-in.
type units struct {
	files   map[string]string
	dropIns map[string][]string
}

func (s *scanner) systemd() {
	u := s.units()
	started := map[string]bool{}

	for name := range u.files {
		base, isTimer := strings.CutSuffix(name, ".timer")
		if !isTimer {
			var isPath bool
			if base, isPath = strings.CutSuffix(name, ".path"); !isPath {
				continue
			}
		}

		started[s.startedBy(u, name, base+".service")] = true
	}

	for name := range u.files {
		if !strings.HasSuffix(name, ".service") {
			continue
		}

		kind := KindStart
		if started[name] {
			kind = KindTimer
		}

		for _, file := range u.of(name) {
			s.service(kind, file)
		}
	}
}

func (u units) of(name string) []string {
	return append([]string{u.files[name]}, u.dropIns[name]...)
}

func (s *scanner) units() units {
	u := units{files: map[string]string{}, dropIns: map[string][]string{}}

	for _, dir := range unitDirs {
		for _, name := range s.list(dir) {
			unit, isDropIn := strings.CutSuffix(name, ".d")

			switch kind := path.Ext(unit); {
			case kind != ".service" && kind != ".timer" && kind != ".path":
			case isDropIn:
				for _, file := range s.list(path.Join(dir, name)) {
					u.dropIns[unit] = append(u.dropIns[unit], path.Join(dir, name, file))
				}
			case u.files[name] == "":
				u.files[name] = path.Join(dir, name)
			}
		}
	}

	return u
}

// startedBy is the unit that a timer or a path unit starts.
func (s *scanner) startedBy(u units, name, otherwise string) string {
	for _, file := range u.of(name) {
		for _, l := range s.read(file) {
			if key, value := setting(l.text); key == "Unit" {
				otherwise = value
			}
		}
	}

	return otherwise
}

// service looks at the commands of a service. Scripts count only where the service runs by itself.
func (s *scanner) service(kind Kind, file string) {
	for _, l := range s.read(file) {
		key, command := setting(l.text)
		if !strings.HasPrefix(key, "Exec") {
			continue
		}

		// Prefixes change how a command is run, not which.
		command = strings.TrimLeft(command, "-@:+!|")

		if kind == KindTimer {
			s.take(kind, file, l, command)
		} else if found := parseCommand(command); found.test != "" {
			s.add(Place{Kind: kind, File: file, Line: l.number, Test: found.test})
		}
	}
}

func setting(text string) (key, value string) {
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
		return "", ""
	}

	key, value, _ = strings.Cut(text, "=")

	return strings.TrimSpace(key), strings.TrimSpace(value)
}
