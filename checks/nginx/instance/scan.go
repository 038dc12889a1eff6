package instance

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// process is one process of nginx.
type process struct {
	pid   int
	title title
	stat  stat
	owner
}

// processes reads the title of every process: nobody must name his nginx nginx.
func (p proc) processes() ([]process, error) {
	dir, err := os.Open(p.root)
	if err != nil {
		return nil, fmt.Errorf("cannot look for nginx: %w; mount proc at %s", err, p.root)
	}
	defer func() { _ = dir.Close() }()

	var all []process

	for {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			pid, ok := procfile.Uint([]byte(name))
			if !ok {
				continue
			}

			if found, ok := p.process(int(pid)); ok {
				all = append(all, found)
			}
		}

		if err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("cannot look for nginx: %w; mount proc at %s", err, p.root)
		}
	}
}

// process reads one process. It is false for what is not nginx, or has ended meanwhile.
func (p proc) process(pid int) (process, bool) {
	cmdline, err := p.read(pid, "cmdline", maxTitle)
	if err != nil {
		return process{}, false
	}

	t, ok := parseTitle(cmdline, func() string {
		comm, _ := p.read(pid, "comm", maxProcFile)

		return strings.TrimSuffix(string(comm), "\n")
	})
	if !ok {
		return process{}, false
	}

	s, err := p.stat(pid)
	if err != nil {
		return process{}, false
	}

	found := process{pid: pid, title: t, stat: s}
	if t.master {
		if found.owner, err = p.owner(pid); err != nil {
			return process{}, false
		}
	}

	// Two bytes of the room are zero bytes at the end.
	found.title.cut = t.cut || s.room > 0 && uint64(t.length)+2 >= s.room

	return found, true
}

// hidden says where this user cannot see the others' processes.
func (p proc) hidden() []string {
	if _, err := os.ReadFile(p.path(1, "stat")); err == nil {
		return nil
	}

	return []string{fmt.Sprintf("cannot see other users' processes in %s, so that their nginx is not found; "+
		"mount it without hidepid, or add this user to the group of its gid option", p.root)}
}

// mastersOf picks the masters: root's first, then the newest, so that nobody takes the place of another user's. A child that
// still has its master's title is a worker in the making unless it has children of its own.
func mastersOf(processes []process, children map[int][]process) []process {
	titles := make(map[int]string, len(processes))
	for _, one := range processes {
		if one.title.master {
			titles[one.pid] = one.title.command
		}
	}

	var masters []process

	for _, one := range processes {
		parent, child := titles[one.stat.parent]
		if one.title.master && (!child || parent != one.title.command || len(children[one.pid]) > 0) {
			masters = append(masters, one)
		}
	}

	slices.SortFunc(masters, func(a, b process) int {
		return cmp.Or(cmp.Compare(a.uid, b.uid), cmp.Compare(b.stat.ticks, a.stat.ticks), cmp.Compare(b.pid, a.pid))
	})

	return masters
}

// workersOf are the children of a master but the one that takes over from it.
func workersOf(master process, children map[int][]process) []process {
	return slices.DeleteFunc(slices.Clone(children[master.pid]), func(child process) bool {
		return child.title.master && (len(children[child.pid]) > 0 || child.title.command != master.title.command)
	})
}
