package server

import (
	"context"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/checks/unit"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/helper/settings"
)

// Where the kernel shows itself.
const (
	procPath = "/proc"
	sysPath  = "/sys"
	kmsgPath = "/dev/kmsg"
	// hostPID is a process whose mounts are the host's, which the helper's own are not.
	hostPID = 1
)

// Host does the verbs on this host.
type Host struct {
	oom       *oom.Tracker
	nginx     *nginx.Monitor
	listeners *listener.Reader
	units     *unit.Reader
}

// NewHost does nothing before the first request. Stop ends what runs then.
func NewHost(s settings.Settings) *Host {
	units := unit.NewReader(unit.System())

	return &Host{
		oom: oom.NewTracker(procPath, kmsgPath),
		nginx: nginx.NewMonitor(nginx.Options{
			ProcPath: procPath, SysPath: sysPath, Root: "/", HostPID: hostPID,
			Configured: s.Nginx, Revalidate: s.NginxRevalidate, Timeout: s.NginxTimeout,
			Units: units,
		}),
		listeners: listener.NewReader(procPath, sysPath),
		units:     units,
	}
}

// Stop ends a test of an nginx configuration at once. It waits for nothing else that may hang.
func (h *Host) Stop() { h.nginx.Stop() }

// Busy tells whether a test of an nginx configuration runs, whose result is to be asked for later.
func (h *Host) Busy() bool { return h.nginx.Testing() }

// Handlers are one for each verb but VerbStatus.
func (h *Host) Handlers() map[helper.Verb]Handler {
	return map[helper.Verb]Handler{
		helper.VerbSlabinfo:  func(context.Context, helper.Request) (any, error) { return slab.ReadInfo(procPath, nil) },
		helper.VerbSlabKinds: func(context.Context, helper.Request) (any, error) { return slab.ReadKinds(procPath, sysPath) },
		helper.VerbOOM:       func(context.Context, helper.Request) (any, error) { return h.oom.Get() },
		helper.VerbNginx:     func(ctx context.Context, _ helper.Request) (any, error) { return h.nginx.Discover(ctx) },
		helper.VerbNginxConfig: func(ctx context.Context, r helper.Request) (any, error) {
			name, err := h.nginx.NameOf(ctx, r.Instance)
			if err != nil {
				return nil, err
			}

			return h.nginx.Report(ctx, name)
		},
		helper.VerbListeners: h.listen,
	}
}

func (h *Host) listen(ctx context.Context, r helper.Request) (any, error) {
	masters, err := h.nginx.Masters(ctx)
	if err != nil {
		return nil, err
	}

	return h.listeners.Read(ctx, listener.Options{Port: r.Port, Masters: masters, Processes: r.Port != 0})
}
