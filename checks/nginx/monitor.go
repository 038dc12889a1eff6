package nginx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx/hazard"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

const (
	// searchedFor is how long a search for scheduled tests serves; it reads some hundred files.
	searchedFor = 5 * time.Minute
	stopLimit   = time.Second
	// maxWatched bounds what is kept of instances that have gone.
	maxWatched = 200
)

// Options say what is watched, and how.
type Options struct {
	// ProcPath and SysPath are where proc(5) and sysfs(5) are mounted, Root the directory below which cron, systemd, sudo
	// and Zabbix are configured.
	ProcPath, SysPath, Root string
	// HostPID is a process that sees the host's files, such as 1 where this process has mounts of its own: an instance that does not run is looked at
	// and tested among them. 0 stands for this process.
	HostPID int
	// Configured are instances that are tested even while they do not run.
	Configured []instance.Configured
	// Revalidate is how old the test of an unchanged configuration may be, Timeout how long a test may take.
	Revalidate, Timeout time.Duration
	// Units tells what systemd knows of the instances; nil where nobody asks it.
	Units Units
}

// tester makes one configuration test that changes nothing.
type tester interface {
	Test(context.Context, sandbox.Command) (*sandbox.Result, error)
}

// Monitor tests the configuration of each nginx instance when it has changed, and knows the last result. It is safe for
// concurrent use.
type Monitor struct {
	options   Options
	finder    *instance.Finder
	sandbox   tester
	listeners *listener.Reader
	host      tree.Tree
	startedAt time.Time

	ctx    context.Context
	cancel context.CancelFunc
	tests  sync.WaitGroup
	// testing is how many tests run.
	testing atomic.Int32

	mu      sync.Mutex
	stopped bool
	found   *instance.Found
	foundAt time.Time
	// searched are the tests that this host makes on a schedule.
	searched   hazard.Schedule
	searchedAt time.Time
	watched    map[string]*watched
	// seen are the instances that ran, by name.
	seen map[string]sighting
}

// NewMonitor tests nothing before the first Report. Stop ends what runs then.
func NewMonitor(o Options) *Monitor {
	ctx, cancel := context.WithCancel(context.Background())

	var host tree.Tree
	if o.HostPID != 0 {
		host = tree.Of(o.ProcPath, o.HostPID)
	}

	return &Monitor{
		options:   o,
		finder:    instance.NewFinder(o.ProcPath, o.Configured, instance.NewBuilds(instance.SafeToRun)).In(host),
		host:      host,
		sandbox:   sandbox.New(),
		listeners: listener.NewReader(o.ProcPath, o.SysPath),
		startedAt: time.Now(),
		ctx:       ctx,
		cancel:    cancel,
		watched:   make(map[string]*watched),
		seen:      make(map[string]sighting),
	}
}

// Stop ends a running test and waits for its end, for a second at most: one that hangs in the kernel is killed when it can be.
func (m *Monitor) Stop() {
	m.mu.Lock()
	m.stopped = true
	m.mu.Unlock()
	m.cancel()

	ended := make(chan struct{})

	go func() {
		m.tests.Wait()
		close(ended)
	}()

	limit := time.NewTimer(stopLimit)
	defer limit.Stop()

	select {
	case <-ended:
	case <-limit.C:
	}
}

// Testing tells whether a test runs, also one that no Report waits for any more.
func (m *Monitor) Testing() bool { return m.testing.Load() > 0 }

// Masters are the running instances, for package listener.
func (m *Monitor) Masters(ctx context.Context) ([]listener.Master, error) {
	found, err := m.find(ctx)
	if err != nil {
		return nil, err
	}

	var all []listener.Master
	for at := range found.Instances {
		all = append(all, mastersOf(&found.Instances[at])...)
	}

	return all, nil
}

func mastersOf(i *instance.Instance) []listener.Master {
	if i.Master == nil {
		return nil
	}

	all := []listener.Master{{PID: i.Master.PID, StartTicks: i.Master.StartTicks}}
	for _, pid := range i.OtherMasters {
		all = append(all, listener.Master{PID: pid})
	}

	return all
}

// of returns what is known of an instance.
func (m *Monitor) of(name string) *watched {
	m.mu.Lock()
	defer m.mu.Unlock()

	w := m.watched[name]
	if w == nil {
		if len(m.watched) >= maxWatched {
			// Instances that come and go under ever new names must not fill the memory; the living are tested again.
			clear(m.watched)
		}

		w = &watched{}
		m.watched[name] = w
	}

	return w
}
