package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// newHelper returns who does what only root may; nil where this process is root itself.
func newHelper(options config.Options) *helper.Client {
	if os.Geteuid() == 0 {
		return nil
	}

	return helper.NewClient(options.HelperSocket)
}

// sourceOf lets the slab caches be read by the helper.
func sourceOf(client *helper.Client) slab.Source {
	if client == nil {
		return nil
	}

	return slabSource{client}
}

type slabSource struct{ client *helper.Client }

func (s slabSource) Slabinfo(buf []byte) ([]byte, error) {
	return s.client.Text(context.Background(), helper.Request{Verb: helper.VerbSlabinfo}, buf)
}

func (s slabSource) Kinds() (map[string]slab.Reclaim, error) {
	var kinds map[string]slab.Reclaim

	body, err := s.client.JSON(context.Background(), helper.Request{Verb: helper.VerbSlabKinds})
	if err == nil {
		err = json.Unmarshal(body, &kinds)
	}

	return kinds, err
}

// ask has the helper answer. Asked is false where there is none, so that this process must do what it may.
func (c *Checks) ask(ctx context.Context, r helper.Request) (answer []byte, asked bool, err error) {
	if c.helper == nil {
		return nil, false, nil
	}

	answer, err = c.helper.JSON(ctx, r)
	if unusable, ok := errors.AsType[*helper.UnusableError](err); ok && unusable.State == helper.Absent {
		return nil, false, nil
	}

	return answer, true, err
}

// OOM returns the counter of OOM kills, and the victims: as the helper knows them, to whom the kernel tells each, or else as this process may.
func (c *Checks) OOM(ctx context.Context) (*oom.Report, error) {
	if c.helper == nil {
		return c.watches.Kills()
	}

	var theirs oom.Report

	answer, err := c.helper.JSON(ctx, helper.Request{Verb: helper.VerbOOM})
	if err == nil {
		err = json.Unmarshal(answer, &theirs)
	}

	if err == nil && theirs.VictimsKnown {
		return &theirs, nil
	}

	report, ownErr := c.watches.Kills()

	switch {
	case ownErr != nil:
		return nil, ownErr
	case report.VictimsKnown:
	case err != nil:
		report.VictimsError = err.Error()
	default:
		return &theirs, nil
	}

	return report, nil
}

// nginxRows are the instances that the helper found, as JSON, and those of this plugin's own configuration.
func (c *Checks) nginxRows(ctx context.Context) (any, error) {
	answer, asked, err := c.ask(ctx, helper.Request{Verb: helper.VerbNginx})
	if !asked {
		return c.nginx.Discover(ctx)
	}

	if err != nil || len(c.configured) == 0 {
		return string(answer), err
	}

	var rows []nginx.Discovered
	if err := json.Unmarshal(answer, &rows); err != nil {
		return nil, err
	}

	own, err := c.nginx.Discover(ctx)
	for _, row := range own {
		known := slices.ContainsFunc(rows, func(r nginx.Discovered) bool { return r.Instance == row.Instance })
		if !known && c.isConfigured(row.Instance) {
			rows = append(rows, row)
		}
	}

	return rows, err
}

// nginxReport is the state of an instance: as root sees it, or, of one that only this plugin's own configuration names, as this user does.
func (c *Checks) nginxReport(ctx context.Context, name string) (any, error) {
	r := helper.Request{Verb: helper.VerbNginxConfig}
	if name != "" {
		r.Instance = nginx.ID(name)
	}

	answer, asked, err := c.ask(ctx, r)
	if !asked || errors.Is(err, nginx.ErrUnknownInstance) && c.isConfigured(name) {
		return c.nginx.Report(ctx, name)
	}

	if errors.Is(err, nginx.ErrUnknownInstance) && name != "" {
		err = fmt.Errorf("cannot report on %q: %w", name, err)
	}

	return string(answer), err
}

func (c *Checks) isConfigured(name string) bool {
	return slices.ContainsFunc(c.configured, func(i instance.Configured) bool { return i.Name == name })
}

// Slab are the slab caches.
func (c *Checks) Slab() *slab.Tracker { return c.slab }

// listenerReport tells who listens on a port, 0 for all.
func (c *Checks) listenerReport(ctx context.Context, port uint16, processes bool) (any, error) {
	if answer, asked, err := c.ask(ctx, helper.Request{Verb: helper.VerbListeners, Port: port}); asked {
		return string(answer), err
	}

	masters, err := c.nginx.Masters(ctx)
	if err != nil {
		return nil, err
	}

	return c.listeners.Read(ctx, listener.Options{Port: port, Masters: masters, Processes: processes})
}

// HelperReport is how the plugin stands with the root helper.
type HelperReport struct {
	State     helper.State `json:"state"`
	StateName string       `json:"state_name"`
	Version   string       `json:"version"`
	Error     string       `json:"error"`
	Requests  uint64       `json:"requests"`
	Failures  uint64       `json:"failures"`
}

// helperReport asks the helper where nobody has for a while.
func (c *Checks) helperReport(ctx context.Context) HelperReport {
	health := helper.Health{State: helper.NotNeeded}

	if c.helper != nil {
		if c.helper.Silent() {
			// What went wrong is in the health.
			_, _ = c.helper.Status(ctx)
		}

		health = c.helper.Health()
	}

	report := HelperReport{
		State: health.State, StateName: health.State.String(), Version: health.Version, Requests: health.Requests, Failures: health.Failures,
	}
	if health.Err != nil {
		report.Error = health.Err.Error()
	}

	return report
}
