package server

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
	"zabbix-agent2-plugin-hosting/checks/kmemleak"
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/helper/settings"
	"zabbix-agent2-plugin-hosting/plugin/watches"
)

// Where the kernel shows itself.
const (
	procPath = "/proc"
	sysPath  = "/sys"
	kmsgPath = "/dev/kmsg"
	// spareSlabinfo is room for what some new caches take.
	spareSlabinfo = 4 << 10
)

// Host does the verbs on this host.
type Host struct {
	nginx     *nginx.Monitor
	listeners *listener.Reader
	// slabinfoSize is how many bytes the last answer of VerbSlabinfo had.
	slabinfoSize atomic.Int64
	units        *unit.Reader
	watches      *watches.Watches
	leaks        *kmemleak.Reader
}

// NewHost does nothing before the first request. Stop ends what runs then.
func NewHost(s settings.Settings) *Host {
	units := unit.NewReader(unit.System())
	instances := nginx.NewMonitor(nginx.Options{
		ProcPath: procPath, SysPath: sysPath, Root: "/", HostPID: hostPID(),
		Configured: s.Nginx, Revalidate: s.NginxRevalidate, Timeout: s.NginxTimeout,
		Units: units,
	})

	source := kernelsource.New("/", procPath, sysPath)

	return &Host{
		nginx:     instances,
		listeners: listener.NewReader(procPath, sysPath),
		units:     units,
		leaks:     kmemleak.NewReader(procPath, sysPath, source),
		watches: watches.New(watches.Options{
			ProcPath: procPath, SysPath: sysPath, KmsgPath: kmsgPath, Masters: instances.Masters, Listeners: s.WatchListeners, Kills: s.WatchKills,
			SessionTime: s.SlabSession, SessionEvery: s.SlabSessionEvery, SessionCPUPct: s.SlabSessionCPUPct, Source: source,
		}),
	}
}

// hostPID is the init, whose mounts are the host's, while those of the helper's unit are read-only. A helper that runs outside its unit, in a
// container whose init is closed to it, sees the host itself.
func hostPID() int {
	const init = 1

	var root unix.Statfs_t

	_, closed := os.Stat(filepath.Join(procPath, strconv.Itoa(init), "root") + "/")
	if closed != nil && unix.Statfs("/", &root) == nil && root.Flags&unix.ST_RDONLY == 0 {
		return 0
	}

	return init
}

// Stop ends the watches, and a test of an nginx configuration at once. It waits for nothing else that may hang.
func (h *Host) Stop() {
	// The kernel forgets what this process watched, whatever is left of it here.
	_ = h.watches.Close()
	h.nginx.Stop()
}

// Busy tells whether something is watched, or a test of an nginx configuration runs, whose result is to be asked for later.
func (h *Host) Busy() bool { return h.watches.Busy() || h.nginx.Testing() }

// Handlers are one for each verb but VerbStatus.
func (h *Host) Handlers() map[helper.Verb]Handler {
	return map[helper.Verb]Handler{
		helper.VerbSlabinfo:  h.slabinfo,
		helper.VerbSlabKinds: func(context.Context, helper.Request) (any, error) { return slab.ReadKinds(procPath, sysPath) },
		helper.VerbOOM:       func(context.Context, helper.Request) (any, error) { return h.watches.Kills() },
		helper.VerbNginx:     func(ctx context.Context, _ helper.Request) (any, error) { return h.nginx.Discover(ctx) },
		helper.VerbNginxConfig: func(ctx context.Context, r helper.Request) (any, error) {
			name, err := h.nginx.NameOf(ctx, r.Instance)
			if err != nil {
				return nil, err
			}

			return h.nginx.Report(ctx, name)
		},
		helper.VerbListeners: h.listen,
		helper.VerbEvents:    func(context.Context, helper.Request) (any, error) { return h.watches.Listeners() },
		helper.VerbOwners:    func(_ context.Context, r helper.Request) (any, error) { return h.watches.Owners(r.N), nil },
		helper.VerbSession:   func(context.Context, helper.Request) (any, error) { return h.watches.Begin(), nil },
		helper.VerbKmemleak:  func(_ context.Context, r helper.Request) (any, error) { return h.leaks.Read(r.N) },
	}
}

// slabinfo is read into a buffer that is as large as the last answer was, and a little larger.
func (h *Host) slabinfo(context.Context, helper.Request) (any, error) {
	text, err := slab.ReadInfo(procPath, make([]byte, 0, h.slabinfoSize.Load()+spareSlabinfo))
	if err != nil {
		return nil, err
	}

	h.slabinfoSize.Store(int64(len(text)))

	return text, nil
}

func (h *Host) listen(ctx context.Context, r helper.Request) (any, error) {
	masters, err := h.nginx.Masters(ctx)
	if err != nil {
		return nil, err
	}

	return h.listeners.Read(ctx, listener.Options{Port: r.Port, Masters: masters, Processes: r.Port != 0})
}
