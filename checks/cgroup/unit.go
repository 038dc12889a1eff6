package cgroup

import (
	"bytes"
	"path"
	"strings"
)

// isUnit tells what systemd gives processes of its own, or charges for memory, by the last part of its path.
func isUnit(cgroup string) bool {
	switch path.Ext(cgroup) {
	case ".service", ".scope", ".socket", ".mount", ".swap":
		return true
	}

	return false
}

// UnitOf is the innermost service or scope of systemd in the path of a cgroup.
func UnitOf(cgroup string) string {
	for dir := cgroup; dir != "/" && dir != "."; dir = path.Dir(dir) {
		if name := path.Base(dir); strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".scope") {
			return name
		}
	}

	return ""
}

// ParseProcess reads /proc/PID/cgroup (cgroups(7)): the path in version 2, or else the one that systemd gave it in version 1.
func ParseProcess(data []byte) string {
	const root = "/"

	found := root

	for line := range bytes.Lines(data) {
		_, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(":"))
		controllers, name, _ := bytes.Cut(rest, []byte(":"))

		switch string(controllers) {
		case "":
			if string(name) != root && len(name) > 0 {
				return string(name)
			}
		case "name=systemd":
			found = string(name)
		}
	}

	return found
}
