package site_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

const reportPatience = 5 * time.Second

func report(t *testing.T, m *site.Monitor, name string) *site.Report {
	t.Helper()

	r, err := m.Report(name)
	require.NoError(t, err)
	require.Equal(t, r.Requests, r.OK+r.Failed+r.NotTested, "each request is counted once")

	var sum uint64
	for _, count := range reasons(t, r) {
		sum += count
	}

	require.Equal(t, r.Requests, sum)

	return r
}

// reasons returns the counters as the payload has them.
func reasons(t *testing.T, r *site.Report) map[string]uint64 {
	t.Helper()

	text, err := json.Marshal(r)
	require.NoError(t, err)

	var payload struct {
		Reasons map[string]uint64 `json:"reasons"`
	}

	require.NoError(t, json.Unmarshal(text, &payload))
	require.Len(t, payload.Reasons, len(site.Reasons()))

	return payload.Reasons
}

func watch(t *testing.T, server *badsite.Server, b badsite.Behavior, interval time.Duration) *site.Monitor {
	t.Helper()

	m := site.NewMonitor([]site.Site{{Name: "shop", Target: target(t, server, b), Interval: interval}})
	m.Start()
	t.Cleanup(m.Stop)

	return m
}

// Zabbix polls once a minute; an outage of 300 ms between two polls must still be seen.
func TestAShortOutageBetweenTwoPollsIsInTheCounters(t *testing.T) {
	t.Parallel()

	server := badsite.StartT(t, badsite.OK())
	m := watch(t, server, badsite.OK(), 200*time.Millisecond)

	require.Eventually(t, func() bool { return report(t, m, "shop").OK >= 2 }, reportPatience, 10*time.Millisecond)
	require.Zero(t, report(t, m, "shop").Failed)
	require.NoError(t, server.Outage(300*time.Millisecond))
	require.Eventually(t, func() bool {
		r := report(t, m, "shop")

		return r.Failed >= 1 && r.ConsecutiveFailures == 0
	}, reportPatience, 10*time.Millisecond)

	r := report(t, m, "shop")
	counted := reasons(t, r)
	require.Equal(t, r.Failed, counted["connect_refused"]+counted["reset_before_response"]+counted["closed_before_response"]+
		counted["reset_before_request_sent"], "counters: %v", counted)
	require.Len(t, r.Evidence, int(r.Failed))
	require.NotEmpty(t, r.Evidence[0].Sentence)
	require.Equal(t, site.ReasonOK, r.Last.Reason)
}
