package instance

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxUnit keeps a name short; a container's number is cut to what its tools show.
const maxUnit = 64

var (
	containerID = regexp.MustCompile(`[0-9a-f]{64}`)
	// containerUnit are the components that the container programs name after a container.
	containerUnit = regexp.MustCompile(`^(?:docker-|libpod-|crio-|cri-containerd-|lxc\.payload[.-]|` +
		`machine-|systemd-nspawn@|nspawn-).+|[0-9a-f]{64}`)
)

// parseCgroup reads /proc/PID/cgroup (cgroups(7)) and takes the path in the unified hierarchy, or where that has none,
// in systemd's, or in whatever there is.
func parseCgroup(data string) string {
	best, rank := "", 0

	for line := range strings.Lines(data) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) < 3 {
			continue
		}

		value := 1

		switch {
		case parts[2] == "/" || parts[2] == "":
			continue
		case parts[1] == "":
			value = 3
		case parts[1] == "name=systemd":
			value = 2
		}

		if value > rank {
			best, rank = parts[2], value
		}
	}

	return best
}

// unitOf is the component of a cgroup's path that tells most: the innermost container's, else the last one.
func unitOf(cgroup string) string {
	parts := components(cgroup)
	if len(parts) == 0 {
		return ""
	}

	unit := parts[len(parts)-1]
	if at := containerIn(parts); at >= 0 {
		unit = parts[at]
	}

	unit = containerID.ReplaceAllStringFunc(unit, func(id string) string { return id[:12] })

	return cleanName(unit, maxUnit)
}

// containerIn is the place of the innermost container among the components of a path, -1 for none.
func containerIn(parts []string) int {
	for at, part := range slices.Backward(parts) {
		if containerUnit.MatchString(part) || at > 0 && parts[at-1] == "lxc" {
			return at
		}
	}

	return -1
}

// inContainer tells whether a cgroup is a container's, and not the one that this process is in as well.
func (p proc) inContainer(cgroup string) bool {
	parts := components(cgroup)

	at := containerIn(parts)
	if at < 0 {
		return false
	}

	text, err := readLimited(filepath.Join(p.root, "self", "cgroup"), maxProcFile)
	if err != nil {
		return true
	}

	ours := components(parseCgroup(string(text)))

	return len(ours) <= at || !slices.Equal(ours[:at+1], parts[:at+1])
}

func components(cgroup string) []string {
	return strings.FieldsFunc(cgroup, func(r rune) bool { return r == '/' })
}
