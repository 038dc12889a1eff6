package instance

import (
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
	parts := strings.FieldsFunc(cgroup, func(r rune) bool { return r == '/' })
	if len(parts) == 0 {
		return ""
	}

	unit := parts[len(parts)-1]

	for i, part := range slices.Backward(parts) {
		if containerUnit.MatchString(part) || i > 0 && parts[i-1] == "lxc" {
			unit = part

			break
		}
	}

	unit = containerID.ReplaceAllStringFunc(unit, func(id string) string { return id[:12] })

	return cleanName(unit, maxUnit)
}
