package instance

import (
	"cmp"
	"context"
	"os/user"
	"slices"
	"strconv"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// Finder finds the instances of this host. It is safe for concurrent use.
type Finder struct {
	procRoot   string
	configured []Configured
	builds     *Builds
	// host is where configured instances are that do not run.
	host     tree.Tree
	bootedAt func() time.Time
}

// NewFinder looks below procRoot, on a real system "/proc". Builds says what the programs are.
func NewFinder(procRoot string, configured []Configured, builds *Builds) *Finder {
	return &Finder{procRoot: procRoot, configured: slices.Clone(configured), builds: builds, bootedAt: bootTime}
}

// In has the configured instances be of another tree, and returns the finder.
func (f *Finder) In(host tree.Tree) *Finder {
	f.host = host

	return f
}

// Find looks at all processes once. An error means that there are no processes to look at.
func (f *Finder) Find(ctx context.Context) (*Found, error) {
	p := proc{root: f.procRoot, bootedAt: f.bootedAt()}

	processes, err := p.processes()
	if err != nil {
		return nil, err
	}

	found := &Found{Problems: p.hidden()}
	children := map[int][]process{}

	for _, child := range processes {
		children[child.stat.parent] = append(children[child.stat.parent], child)
	}

	masters := mastersOf(processes, children)
	found.Omitted = max(0, len(masters)-maxMasters)

	var running []Instance

	for _, m := range masters[:min(len(masters), maxMasters)] {
		if i := f.running(ctx, p, m, workersOf(m, children)); i != nil {
			running = append(running, *i)
		}
	}

	found.Instances = f.withConfigured(ctx, collapse(running))

	return found, nil
}

// running describes a master. It is nil for an nginx that only tests, and for one that has ended meanwhile.
func (f *Finder) running(ctx context.Context, p proc, one process, children []process) *Instance {
	m := &Master{
		PID: one.pid, StartTicks: one.stat.ticks, StartedAt: p.startedAt(one.stat.ticks),
		Product: one.title.product, UID: one.uid, Setuid: p.isSetuid(one.pid), OpenFiles: p.openFiles(one.pid),
		MountNS: p.namespace(one.pid, "mnt"), NetNS: p.namespace(one.pid, "net"), Root: p.rootOf(one.pid),
	}

	if m.MountNS.Differs || m.Root.Differs {
		m.Tree = tree.Tree{Proc: p.root, PID: m.PID, StartTicks: m.StartTicks}
	}

	if text, err := p.read(one.pid, "cgroup", maxProcFile); err == nil {
		m.Cgroup = parseCgroup(string(text))
		m.Unit = unitOf(m.Cgroup)
		m.Container = one.nested || p.inContainer(m.Cgroup)
	}

	if !m.Root.Differs {
		if known, err := user.LookupId(strconv.Itoa(m.UID)); err == nil {
			m.User = known.Username
		}
	}

	m.takeWorkers(p, children)

	i := &Instance{Master: m}
	if !f.resolve(ctx, p, i, one.title) {
		return nil
	}

	// Whoever ended has left half of what was read.
	if now, err := p.stat(one.pid); err != nil || now.ticks != one.stat.ticks {
		return nil
	}

	return i
}

func (m *Master) takeWorkers(p proc, children []process) {
	slices.SortFunc(children, func(a, b process) int {
		return cmp.Or(cmp.Compare(a.stat.ticks, b.stat.ticks), cmp.Compare(a.pid, b.pid))
	})

	for _, child := range children {
		if len(m.Workers) == maxWorkers {
			m.WorkersOmitted++

			continue
		}

		m.Workers = append(m.Workers, Worker{
			PID: child.pid, Kind: child.title.kind, StartedAt: p.startedAt(child.stat.ticks), StartTicks: child.stat.ticks,
		})
	}
}

// collapse makes one instance of the masters with one configuration file. The first of them counts.
func collapse(running []Instance) []Instance {
	var all []Instance

	for _, i := range running {
		at := slices.IndexFunc(all, func(other Instance) bool { return other.Name == i.Name })
		if at < 0 {
			all = append(all, i)
		} else {
			all[at].OtherMasters = append(all[at].OtherMasters, i.Master.PID)
		}
	}

	return all
}
