package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"golang.zabbix.com/sdk/metric"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
	"zabbix-agent2-plugin-hosting/checks/kmemleak"
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/memory"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/oomunit"
	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/checks/slabunit"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/watches"
)

// Process tells about the process that evaluates the keys.
type Process interface{ Status() agent.Status }

// Checks evaluates item keys and holds what they remember from one evaluation to the next.
type Checks struct {
	process Process
	version string
	sites   *site.Monitor
	memory  *memory.Reader
	slab    *slab.Tracker
	units   unitReader
	nginx   *nginx.Monitor
	helper  *helper.Client // nil where this process is root
	health  *healthBook
	keys    map[string]boundKey

	listeners  *listener.Reader
	configured []instance.Configured

	watches   *watches.Watches
	leaks     *kmemleak.Reader
	growth    slabowner.Trigger
	cgroups   cgroupWalk[slabunit.Report]
	killed    cgroupWalk[oomunit.Report]
	startedAt time.Time

	slabHistory time.Duration
	slabAskedAt atomic.Int64 // Unix time in ns
}

// boundKey is a key with what evaluating it needs each time.
type boundKey struct {
	Key

	schema *metric.Metric
}

// NewChecks returns the checks of a host as the options describe it.
func NewChecks(options config.Options, process Process, version string) *Checks {
	byName := make(map[string]boundKey)
	for _, key := range All() {
		byName[key.Name] = boundKey{Key: key, schema: key.schema()}
	}

	asRoot := newHelper(options)
	units := unit.NewReader(unit.System())
	instances := nginx.NewMonitor(nginx.Options{
		ProcPath: options.ProcPath, SysPath: options.SysPath, Root: "/",
		Configured: options.Nginx, Revalidate: options.NginxRevalidate, Timeout: options.NginxTimeout,
		Units: units,
	})

	source := kernelsource.New("/", options.ProcPath, options.SysPath)

	return &Checks{
		keys:    byName,
		process: process,
		version: version,
		sites:   site.NewMonitor(options.Sites),
		memory:  memory.NewReader(options.ProcPath),
		slab:    slab.NewTracker(options.ProcPath, options.SysPath, sourceOf(asRoot), options.SlabHistory),
		units:   units,
		helper:  asRoot,
		health:  newHealthBook(),
		nginx:   instances,
		leaks:   kmemleak.NewReader(options.ProcPath, options.SysPath, source),
		growth:  slabowner.Trigger{Every: options.SlabSessionEvery, BytesPerMinute: uint64(options.SlabSessionGrowthMiB) << 20},
		cgroups: cgroupWalk[slabunit.Report]{read: slabunit.NewReader(options.SysPath).Read},
		killed:  cgroupWalk[oomunit.Report]{read: oomunit.NewReader(options.SysPath).Read},
		watches: watches.New(watches.Options{
			ProcPath: options.ProcPath, SysPath: options.SysPath, KmsgPath: options.KmsgPath, Masters: instances.Masters,
			Listeners: options.WatchListeners, Kills: options.WatchKills,
			SessionTime: options.SlabSession, SessionEvery: options.SlabSessionEvery, SessionCPUPct: options.SlabSessionCPUPct, Source: source,
		}),
		startedAt:  time.Now(),
		listeners:  listener.NewReader(options.ProcPath, options.SysPath),
		configured: options.Nginx,

		slabHistory: options.SlabHistory,
	}
}

// CheckCall tells whether there is such a key and it takes the parameters.
func (c *Checks) CheckCall(name string, parameters []string) error {
	_, _, err := c.call(name, parameters)

	return err
}

func (c *Checks) call(name string, parameters []string) (boundKey, map[string]string, error) {
	key, ok := c.keys[name]
	if !ok {
		return key, nil, fmt.Errorf("cannot evaluate %s: there is no such key; see list-keys", name)
	}

	values, err := key.bind(key.schema, parameters)

	return key, values, err
}

// Evaluate returns the value of an item key as text.
func (c *Checks) Evaluate(ctx context.Context, name string, parameters []string) (string, error) {
	key, values, err := c.call(name, parameters)
	if err != nil {
		return "", err
	}

	value, err := key.evaluate(ctx, c, values)
	if key.Check != "" && !isAboutTheName(err) {
		c.health.note(key.Check, err)
	}

	if err != nil {
		return "", fmt.Errorf("cannot evaluate %s: %w", key.Name, err)
	}

	if text, ok := value.(string); ok {
		return text, nil
	}

	return encode(value)
}

// Start begins the requests to the test sites.
func (c *Checks) Start() { c.sites.Start() }

// Stop ends them, within a second, and a test of an nginx configuration at once.
func (c *Checks) Stop() {
	// The kernel forgets what this process watched, whatever is left of it here.
	_ = c.watches.Close()
	c.nginx.Stop()
	c.sites.Stop()
	c.units.Close()
}

// SampleSlab reads the slab caches for the growth history; it is called once a minute, asked for or not. Where the helper must read them it
// would never be idle, so there they are read while somebody has asked for them within the time that the history covers.
func (c *Checks) SampleSlab() {
	if c.wantsSamples() {
		c.health.note(CheckSlab, c.slab.Sample())
	}
}

func (c *Checks) wantsSamples() bool {
	return c.helper == nil || time.Since(time.Unix(0, c.slabAskedAt.Load())) <= c.slabHistory
}

func encode(value any) (string, error) {
	var text bytes.Buffer

	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)

	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("cannot encode the value: %w", err)
	}

	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}
