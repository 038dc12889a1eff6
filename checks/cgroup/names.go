package cgroup

import (
	"context"
	"os"
	"sync"
	"syscall"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// maxKnown is how many names are remembered.
	maxKnown = 20_000
	// maxName bounds a name, in bytes: who may make cgroups may nest them deeply.
	maxName = 512
)

// Names finds the paths of cgroups by their ids, which are the inodes of their directories (kernfs). It is safe for concurrent use.
type Names struct {
	mount func() string

	mu sync.Mutex
	// known also holds the ids that have no directory any more: ids are not used again.
	known map[uint64]string
}

// NewNames looks below the directory that mount returns, each time that it looks.
func NewNames(mount func() string) *Names { return &Names{mount: mount} }

// Path is the path of a cgroup below the mount, by its id; empty for one that is gone.
func (n *Names) Path(id uint64) string {
	paths := map[uint64]string{id: ""}
	n.Paths(paths)

	return paths[id]
}

// Paths fills in the path below the mount for each id that has one.
func (n *Names) Paths(ids map[uint64]string) {
	n.mu.Lock()
	defer n.mu.Unlock()

	missing := make(map[uint64]struct{})

	for id := range ids {
		if _, known := n.known[id]; !known && id != 0 {
			missing[id] = struct{}{}
		}
	}

	if len(missing) > 0 {
		n.search(missing)
	}

	for id := range ids {
		ids[id] = n.known[id]
	}
}

func (n *Names) search(missing map[uint64]struct{}) {
	if n.known == nil || len(n.known)+len(missing) > maxKnown {
		n.known = make(map[uint64]string)
	}

	mount := n.mount()
	n.learn(missing, Group{Dir: mount, Path: "/"})

	Walk(context.Background(), mount, true, func(g Group) bool {
		n.learn(missing, g)

		return len(missing) > 0
	})

	for id := range missing {
		n.known[id] = ""
	}
}

// learn leaves alone a cgroup that has gone away.
func (n *Names) learn(missing map[uint64]struct{}, g Group) {
	info, err := os.Lstat(g.Dir)
	if err != nil {
		return
	}

	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}

	if _, wanted := missing[stat.Ino]; wanted {
		n.known[stat.Ino] = readable(g.Path)
		delete(missing, stat.Ino)
	}
}

func readable(path string) string { return procfile.PrintableStart(path, maxName) }
