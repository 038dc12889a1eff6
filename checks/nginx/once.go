package nginx

import (
	"context"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// Candidate is a program and a configuration that a person wants tested, whoever they belong to.
type Candidate struct {
	Binary, Config, Prefix string
	Timeout                time.Duration
}

// TestCandidate tests what a person names, once. No item key may reach it: to test a configuration is to run the modules
// that it loads.
func TestCandidate(ctx context.Context, c Candidate) (*Report, error) {
	m := &Monitor{
		options: Options{ProcPath: "/proc", Root: "/", Timeout: c.Timeout}, finder: instance.NewFinder("/proc", nil, instance.NewBuilds(nil)), sandbox: sandbox.New(), listeners: listener.NewReader("/proc", "/sys"), ctx: ctx, startedAt: time.Now(),
	}
	i := instance.Instance{
		Name: c.Config, Binary: c.Binary, Config: c.Config, Prefix: c.Prefix,
		Arguments: instance.Arguments{Config: c.Config, Prefix: c.Prefix},
	}

	build, err := instance.NewBuilds(nil).Of(ctx, c.Binary)
	if err == nil {
		i.Build = &build
	}

	o := newOutcome(i)
	m.perform(o, &tree.View{})

	if ctx.Err() != nil {
		return nil, fmt.Errorf("cannot test %s: %w", c.Config, ctx.Err())
	}

	w := &watched{last: o, tests: 1, sideEffects: uint64(len(o.sideEffects))}
	r := m.describe(&i)
	w.fill(r, time.Now())
	r.Problems = orEmpty(i.Problems)

	if sockets, err := m.listeners.Snapshot(ctx, listener.Query{}); err == nil {
		m.fillHazards(r, &i, o, sockets)
	}

	return r, nil
}
