package keys

import (
	"context"
	"encoding/json"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/watches"
)

// What of the keys is for root.
var (
	needsBPF = Permission{
		Needs: "watches sockets in the kernel (CAP_BPF, CAP_PERFMON)", Verb: helper.VerbEvents, Without: "listeners that live as long as a look at them takes",
	}
	needsTracing = Permission{
		Needs: "follows allocations in the kernel (CAP_BPF, CAP_PERFMON, CAP_SYSLOG)", Verb: helper.VerbOwners, Without: "not supported",
	}
	needsDebugfs = Permission{Needs: "reads /sys/kernel/debug/kmemleak", Verb: helper.VerbKmemleak, Without: "not supported"}
)

func watchKeys() []Key {
	return []Key{
		{
			Name:        "hosting.listener.events",
			Description: "Who began and ceased to listen, even for a millisecond, with those that started it, and who did so beside an nginx.",
			Result:      JSON,
			Check:       CheckListener,
			Permission:  needsBPF,
			evaluate:    func(ctx context.Context, c *Checks, _ map[string]string) (any, error) { return c.listenerEvents(ctx) },
		},
		{
			Name:        "hosting.slab.owners",
			Parameters:  []Parameter{rows(slabowner.MaxOwners, "how many owners")},
			Description: "Who allocated slab memory that was not freed: cache, program, code path and bytes, by the last session.",
			Result:      JSON,
			Permission:  needsTracing,
			evaluate:    evaluateOwners,
		},
		{
			Name:        "hosting.kmemleak.get",
			Parameters:  []Parameter{rows(maxLeaks, "how many code paths")},
			Description: "What the kernel's leak detector found, by code path; few kernels have it.",
			Result:      JSON,
			Permission:  needsDebugfs,
			evaluate:    evaluateLeaks,
		},
	}
}

const maxLeaks = 100

func rows(most int, description string) Parameter {
	return Parameter{Name: "n", Description: description, Default: "10", Allowed: wholeNumber{min: 1, max: most}}
}

// listenerEvents is JSON as the helper gave it, or the events themselves.
func (c *Checks) listenerEvents(ctx context.Context) (any, error) {
	if answer, asked, err := c.ask(ctx, helper.Request{Verb: helper.VerbEvents}); asked {
		return string(answer), err
	}

	return c.watches.Listeners()
}

func evaluateOwners(ctx context.Context, c *Checks, values map[string]string) (any, error) {
	if c.helper == nil {
		return c.watches.Owners(count(values)), nil
	}

	answer, err := c.helper.JSON(ctx, helper.Request{Verb: helper.VerbOwners, N: count(values)})

	return string(answer), err
}

func evaluateLeaks(ctx context.Context, c *Checks, values map[string]string) (any, error) {
	if c.helper == nil {
		return c.leaks.Read(count(values))
	}

	answer, err := c.helper.JSON(ctx, helper.Request{Verb: helper.VerbKmemleak, N: count(values)})

	return string(answer), err
}

// WatchGrowth starts a session of slab owners when SUnreclaim grows fast; it is called once a minute, asked for or not. One that is refused is tried
// again the next time.
func (c *Checks) WatchGrowth(ctx context.Context) {
	info, err := c.memory.Read()
	if err != nil {
		return // hosting.memory.get tells
	}

	now := time.Since(c.startedAt)

	bytes, known := info.Bytes("SUnreclaim")
	if known && c.growth.Due(now, bytes) && c.beginSession(ctx) {
		c.growth.Began(now)
	}
}

// beginSession says whether a session was started. What keeps it from starting is in hosting.slab.owners, or in the state of the helper.
func (c *Checks) beginSession(ctx context.Context) bool {
	if c.helper == nil {
		return c.watches.Begin().Started
	}

	var begun watches.Begun

	answer, err := c.helper.JSON(ctx, helper.Request{Verb: helper.VerbSession})

	return err == nil && json.Unmarshal(answer, &begun) == nil && begun.Started
}
