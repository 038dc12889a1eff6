package listener

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

const (
	// maxCgroups bounds a search for names, and how many are remembered.
	maxCgroups = 20_000
	// controllersFile is in every directory of cgroup version 2 and in none of version 1.
	controllersFile = "cgroup.controllers"
	// cgroupDir is where the cgroups are below /sys.
	cgroupDir = "fs/cgroup"
)

// cgroupNames finds the paths of cgroups by their ids, which are the inodes of their directories (kernfs).
type cgroupNames struct {
	root string

	mu sync.Mutex
	// known also holds the ids that have no directory any more: ids are not used again.
	known map[uint64]string
}

// paths returns the path below the mount of cgroup version 2 for each id that has one.
func (c *cgroupNames) paths(ids map[uint64]string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	missing := make(map[uint64]struct{})

	for id := range ids {
		if _, known := c.known[id]; !known && id != 0 {
			missing[id] = struct{}{}
		}
	}

	if len(missing) > 0 {
		c.search(missing)
	}

	for id := range ids {
		ids[id] = c.known[id]
	}
}

func (c *cgroupNames) search(missing map[uint64]struct{}) {
	if c.known == nil || len(c.known)+len(missing) > maxCgroups {
		c.known = make(map[uint64]string)
	}

	root := unified(c.root)
	seen := 0
	_ = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			// A cgroup that goes away, or that is closed to this user, has no name.
			return nil
		}

		if seen++; seen > maxCgroups || len(missing) == 0 {
			return fs.SkipAll
		}

		c.learn(missing, strings.TrimPrefix(name, root), entry)

		return nil
	})

	for id := range missing {
		c.known[id] = ""
	}
}

// UnifiedCgroup is where cgroup version 2 is mounted below sysPath, on a real system "/sys".
func UnifiedCgroup(sysPath string) string { return unified(filepath.Join(sysPath, cgroupDir)) }

func unified(root string) string {
	if _, err := os.Stat(filepath.Join(root, controllersFile)); err != nil {
		// Where version 1 is in use, systemd mounts version 2 here.
		return filepath.Join(root, "unified")
	}

	return root
}

// CgroupPath is the path of a cgroup of version 2 below its mount, by its id; empty for one that is gone.
func (r *Reader) CgroupPath(id uint64) string {
	paths := map[uint64]string{id: ""}
	r.cgroups.paths(paths)

	return paths[id]
}

func (c *cgroupNames) learn(missing map[uint64]struct{}, name string, entry fs.DirEntry) {
	info, err := entry.Info()
	if err != nil {
		return
	}

	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}

	if _, wanted := missing[stat.Ino]; wanted {
		c.known[stat.Ino] = Printable(path.Join("/", name), textLimit)
		delete(missing, stat.Ino)
	}
}

// parseCgroup reads /proc/PID/cgroup (cgroups(7)): the path in version 2, or else the one that systemd gave it in version 1.
func parseCgroup(data []byte) string {
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

// UnitOf is the innermost service or scope of systemd in the path of a cgroup.
func UnitOf(cgroup string) string {
	for dir := cgroup; dir != "/" && dir != "."; dir = path.Dir(dir) {
		if name := path.Base(dir); strings.HasSuffix(name, ".service") || strings.HasSuffix(name, ".scope") {
			return name
		}
	}

	return ""
}
