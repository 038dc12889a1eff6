package keys

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/helper"
)

func foreigner(network listener.Network, address string, opened float64, lived *float64) watch.Event {
	return watch.Event{Network: network, Address: netip.MustParseAddrPort(address), OpenedAt: opened, LifetimeS: lived, Listening: lived == nil, Foreign: true}
}

func TestAForeignerBesideAResetIsNamed(t *testing.T) {
	t.Parallel()

	short := 0.0005
	reset := site.Result{At: 100, TotalS: 0.25, Reason: site.ReasonResetBeforeResponse, Remote: "192.0.2.1:80"}

	for name, test := range map[string]struct {
		foreigners []watch.Event
		named      bool
	}{
		"of half a millisecond, meanwhile":         {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 100.1, &short)}, true},
		"less than a second before":                {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 99.2, &short)}, true},
		"less than a second after":                 {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 101.9, &short)}, true},
		"that listens still":                       {[]watch.Event{foreigner(listener.TCP, "[::]:80", 7, nil)}, true},
		"behind others in the list":                {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 900, nil), foreigner(listener.TCP, "0.0.0.0:80", 100, &short)}, true},
		"too early":                                {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 98, &short)}, false},
		"too late":                                 {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 103, nil)}, false},
		"on another port":                          {[]watch.Event{foreigner(listener.TCP, "0.0.0.0:81", 100.1, &short)}, false},
		"of another protocol":                      {[]watch.Event{foreigner(listener.UDP, "0.0.0.0:80", 100.1, &short)}, false},
		"whose end was not seen, long before this": {[]watch.Event{{Network: listener.TCP, Address: netip.MustParseAddrPort("0.0.0.0:80"), OpenedAt: 7}}, false},
		"none": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.named, foreignerOf(&reset, test.foreigners) != nil)
		})
	}

	nowhere := site.Result{At: 100, Reason: site.ReasonResetBeforeResponse}
	require.Nil(t, foreignerOf(&nowhere, []watch.Event{foreigner(listener.TCP, "0.0.0.0:80", 100, nil)}))
}

func TestEvidenceOfASiteNamesForeignersOfResetsOnly(t *testing.T) {
	t.Parallel()

	thief := foreigner(listener.TCP, "0.0.0.0:80", 7, nil)
	thief.Sentence = "nginx (5) listens beside nginx"
	checks := ordinaryChecks(t, serveHelper(t, answers(map[helper.Verb]any{helper.VerbEvents: watch.Events{Schema: 1, Foreigners: []watch.Event{thief}}})))
	report := &site.Report{Evidence: []*site.Result{
		{At: 100, Reason: site.ReasonResetBeforeResponse, Remote: "192.0.2.1:80"},
		{At: 100, Reason: site.ReasonConnectRefused, Remote: "192.0.2.1:80"},
	}}

	named := checks.withForeigners(t.Context(), report)
	require.Equal(t, &thief, named.Evidence[0].Foreigner)
	require.Nil(t, named.Evidence[1].Foreigner)
	require.Equal(t, report.Evidence[0], named.Evidence[0].Result)
}

func TestAHelperThatFailsLeavesTheEvidenceAsItIs(t *testing.T) {
	t.Parallel()

	checks := ordinaryChecks(t, serveHelper(t, answers(map[helper.Verb]any{helper.VerbEvents: errNoSUnreclaim})))
	report := &site.Report{Evidence: []*site.Result{{At: 100, Reason: site.ReasonResetBeforeRequestSent, Remote: "192.0.2.1:80"}}}
	require.Nil(t, checks.withForeigners(t.Context(), report).Evidence[0].Foreigner)
}
