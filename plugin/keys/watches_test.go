package keys

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/kmemleak"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/helper/server"
	"zabbix-agent2-plugin-hosting/plugin/watches"
)

func TestTheHelpersWatchesAreItemValues(t *testing.T) {
	t.Parallel()

	checks := ordinaryChecks(t, serveHelper(t, map[helper.Verb]server.Handler{
		helper.VerbEvents: func(context.Context, helper.Request) (any, error) { return watch.Events{Schema: 1, Foreign: 7}, nil },
		helper.VerbOwners: func(_ context.Context, r helper.Request) (any, error) {
			return slabowner.Report{Schema: 1, OwnersOmitted: r.N}, nil
		},
		helper.VerbKmemleak: func(_ context.Context, r helper.Request) (any, error) {
			return kmemleak.Report{Schema: 1, GroupsOmitted: r.N}, nil
		},
	}))

	require.Contains(t, evaluate(t, checks, "hosting.listener.events"), `"foreign":7`)
	require.Contains(t, evaluate(t, checks, "hosting.slab.owners[3]"), `"owners_omitted":3`)
	require.Contains(t, evaluate(t, checks, "hosting.kmemleak.get"), `"groups_omitted":10`)

	_, err := evaluateKey(t, checks, "hosting.slab.owners[101]")
	require.ErrorContains(t, err, `"101" is not a whole number from 1 to 100`)
}

func TestASessionStartsWhenSUnreclaimGrows(t *testing.T) {
	t.Parallel()

	begun := make(chan struct{}, 8)
	answers := []watches.Begun{{Schema: 1, Sentence: "the last session began 59m59.9s ago"}, {Schema: 1, Started: true}}
	checks := ordinaryChecks(t, serveHelper(t, map[helper.Verb]server.Handler{
		helper.VerbSession: func(context.Context, helper.Request) (any, error) {
			begun <- struct{}{}

			return answers[len(begun)-1], nil
		},
	}))

	checks.WatchGrowth(t.Context())
	require.Empty(t, begun)

	// As if it had been nothing for a quarter of an hour: what the fixture holds has come since.
	checks.growth = slabowner.Trigger{BytesPerMinute: 1}
	checks.startedAt = time.Now().Add(-15 * time.Minute)

	require.False(t, checks.growth.Due(0, 0))
	require.False(t, checks.growth.Due(3*time.Minute, 1<<20))

	checks.WatchGrowth(t.Context())
	require.Len(t, begun, 1)

	checks.WatchGrowth(t.Context())
	require.Len(t, begun, 2, "the helper had refused the first")

	checks.WatchGrowth(t.Context())
	require.Len(t, begun, 2, "and no other for an hour")
}
