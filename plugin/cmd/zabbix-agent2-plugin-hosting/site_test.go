package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// sitePatience is for sites that have to fail in their turn, many at a time.
const sitePatience = time.Minute

// siteValue is the part of hosting.site.get that tells how a site fails.
type siteValue struct {
	Requests  uint64            `json:"requests"`
	OK        uint64            `json:"ok"`
	Failed    uint64            `json:"failed"`
	NotTested uint64            `json:"not_tested"`
	Late      uint64            `json:"late"`
	Reasons   map[string]uint64 `json:"reasons"`
	Last      *siteResult       `json:"last"`
	Evidence  []siteResult      `json:"evidence"`
}

type siteResult struct {
	Reason     int    `json:"reason"`
	ReasonName string `json:"reason_name"`
	Sentence   string `json:"sentence"`
}

func siteOf(t *testing.T, a *zabbixagent.Agent, name string) siteValue {
	t.Helper()

	var value siteValue

	decode(t, a, "hosting.site.get["+name+"]", &value)
	require.Equal(t, value.Requests, value.OK+value.Failed+value.NotTested)

	return value
}

// Each way to fail, through a real agent: the item has a value, and the value says how.
func TestEachReasonIsAValueInARealAgent(t *testing.T) {
	// No other test may run beside this one: all agents would trust its authority.
	authority, err := badsite.NewAuthority()
	require.NoError(t, err)

	path := filepath.Join(t.TempDir(), "authority.pem")
	require.NoError(t, os.WriteFile(path, authority.PEM(), 0o600))
	t.Setenv("SSL_CERT_FILE", path)

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		sites := badSites(t, authority)

		var lines []string
		for _, s := range sites {
			lines = append(lines, s.lines...)
		}

		a := startAgent(t, zabbixagent.Options{Version: version, Lines: lines})
		driven := map[string]bool{}

		for name, s := range sites {
			var value siteValue

			met := func() (n uint64) {
				for _, reason := range s.reasons {
					n += value.Reasons[reason]
				}

				return n
			}

			require.Eventually(t, func() bool {
				value = siteOf(t, a, name)

				return met() >= 1
			}, sitePatience, 100*time.Millisecond, "site %s never met %v", name, s.reasons)

			requireCounted(t, name, s.reasons[0], value)

			driven[s.reasons[0]] = true
		}

		for number, name := range site.Reasons() {
			require.True(t, driven[name], "no site drives reason %d %s", number, name)
		}
	})
}

// requireCounted checks that a reason is on the right side of the counts, and that its evidence says what happened.
func requireCounted(t *testing.T, name, reason string, value siteValue) {
	t.Helper()

	switch reason {
	case "ok":
		require.NotZero(t, value.OK, name)
	case "local_error":
		require.Equal(t, value.Requests, value.NotTested, "site %s: what cannot be tested does not fail", name)
	default:
		require.NotZero(t, value.Failed, name)
	}

	for _, one := range append(value.Evidence, *value.Last) {
		require.Equal(t, site.Reason(one.Reason).String(), one.ReasonName)
		require.Equal(t, one.Reason != 0, one.Sentence != "", "site %s: %+v", name, one)
	}
}

// Zabbix polls once a minute and saw nothing of an outage of 300 ms between two polls.
func TestAShortOutageBetweenTwoPollsIsInTheCountersOfARealAgent(t *testing.T) {
	t.Parallel()

	eachVersion(t, func(t *testing.T, version zabbixagent.Version) {
		server := badsite.StartT(t, badsite.OK())
		a := startAgent(t, zabbixagent.Options{
			Version: version, Lines: siteLines("shop", map[string]string{"URL": server.URL(), "Interval": "200ms"}),
		})

		// poll returns a value of a site that is well, as each of Zabbix's would be.
		poll := func(requests uint64) (value siteValue) {
			require.Eventually(t, func() bool {
				value = siteOf(t, a, "shop")

				return value.Requests >= requests && value.Last.ReasonName == "ok"
			}, sitePatience, 10*time.Millisecond)

			return value
		}

		for {
			before := poll(2)

			require.NoError(t, server.Outage(300*time.Millisecond))

			after := poll(before.Requests + 2)
			refused := after.Reasons["connect_refused"] - before.Reasons["connect_refused"]

			if after.Late > before.Late && refused == 0 {
				// The machine gave the plugin no time for 300 ms. It says so, and the next outage will do.
				continue
			}

			require.NotZero(t, refused, "reasons: %v", after.Reasons)
			require.GreaterOrEqual(t, after.Failed, before.Failed+refused)
			require.Greater(t, after.OK, before.OK)
			require.Equal(t, before.NotTested, after.NotTested)
			require.Contains(t, after.Evidence[0].Sentence, server.Addr())

			return
		}
	})
}
