package site_test

import (
	"context"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// target asks a misbehaving site as its behavior wants to be asked.
func target(t *testing.T, server *badsite.Server, b badsite.Behavior) site.Target {
	t.Helper()

	asked, err := site.NewTarget(server.URL())
	require.NoError(t, err)

	asked.Timeout, asked.HTTP2, asked.Gzip = b.Probe.Timeout, b.Probe.HTTP2, b.Probe.Gzip
	asked.RootCAs = server.Authority().Pool()

	if b.Probe.DistrustAuthority {
		asked.VerifyCertificate = false
		asked.RootCAs = nil
	}

	if b.Probe.BodyMatch != "" {
		asked.BodyMatch = regexp.MustCompile(b.Probe.BodyMatch)
	}

	if b.Probe.BodyForbid != "" {
		asked.BodyForbid = regexp.MustCompile(b.Probe.BodyForbid)
	}

	if b.Probe.Source != "" {
		asked.Source = netip.MustParseAddr(b.Probe.Source)
	}

	if b.Probe.HeaderBytes > 0 {
		asked.Header.Set("X-Long", strings.Repeat("x", b.Probe.HeaderBytes))
	}

	return asked
}

// requireSum checks that the phases are the whole of the total.
func requireSum(t *testing.T, p site.Phases, total float64) {
	t.Helper()

	parts := []float64{p.ResolveS, p.ConnectS, p.TLSS, p.SendS, p.WaitS, p.TransferS, p.OtherS}
	sum := 0.0

	for _, part := range parts {
		require.GreaterOrEqual(t, part, 0.0, "phases: %+v", p)

		sum += part
	}

	require.InDelta(t, total, sum, total/100+1e-6)
}

// Each behavior is a real server with real effects on TCP, TLS and HTTP.
func TestEachWayToFailHasItsReason(t *testing.T) {
	t.Parallel()

	for _, b := range badsite.Behaviors() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()

			server := badsite.StartT(t, b)
			result := site.NewProber(target(t, server, b)).Probe(context.Background())

			require.Contains(t, append([]string{b.Reason}, b.Also...), result.ReasonName, "sentence: %s", result.Sentence)
			require.Equal(t, result.ReasonName, result.Reason.String())
			requireSum(t, result.Phases, result.TotalS)

			for _, hop := range result.Hops {
				requireSum(t, hop.Phases, hop.TotalS)
			}

			if result.Reason == site.ReasonOK {
				require.Empty(t, result.Sentence)
				require.Empty(t, result.Phase)

				return
			}

			require.NotEmpty(t, result.Sentence)
			require.Less(t, result.TotalS, b.Probe.Timeout.Seconds()+1)

			if len(b.Also) == 0 {
				require.Equal(t, b.Phase, result.Phase, "sentence: %s", result.Sentence)
			}
		})
	}
}

func TestEachWayOfDNSToFailHasItsReason(t *testing.T) {
	t.Parallel()

	web := badsite.StartT(t, badsite.OK())
	_, port, found := strings.Cut(web.Addr(), ":")
	require.True(t, found)

	for _, b := range baddns.Behaviors() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()

			dns := baddns.StartT(t, b, baddns.Zone{baddns.Name: {netip.MustParseAddr("127.0.0.1")}})
			asked, err := site.NewTarget("http://" + b.Ask + ":" + port + "/")
			require.NoError(t, err)

			asked.Resolver, asked.Timeout = dns.Addr(), b.Timeout
			result := site.NewProber(asked).Probe(context.Background())

			require.Equal(t, b.Reason, result.ReasonName, "sentence: %s", result.Sentence)
			requireSum(t, result.Phases, result.TotalS)
		})
	}
}

func TestEveryReasonIsDrivenByADouble(t *testing.T) {
	t.Parallel()

	driven := map[string]bool{}
	for _, b := range badsite.Behaviors() {
		driven[b.Reason] = true
	}

	for _, b := range baddns.Behaviors() {
		driven[b.Reason] = true
	}

	for number, name := range site.Reasons() {
		require.True(t, driven[name], "no double drives reason %d %s", number, name)
	}
}

func TestReasonsKeepTheirNumbers(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{
		0: "ok", 1: "dns_not_found", 2: "dns_failed", 3: "dns_timeout", 4: "connect_refused", 5: "connect_timeout",
		6: "connect_unreachable", 7: "tls_failed", 8: "tls_cert_invalid", 9: "tls_timeout", 10: "reset_before_request_sent",
		11: "reset_before_response", 12: "reset_in_response", 13: "closed_before_response", 14: "truncated",
		15: "response_timeout", 16: "transfer_timeout", 17: "status_unexpected", 18: "body_mismatch", 19: "body_forbidden",
		20: "redirect_loop", 21: "protocol_error", 22: "local_error",
	}, site.Reasons())
	require.False(t, site.ReasonLocalError.Tested())
	require.True(t, site.ReasonResetBeforeResponse.Tested())
}

// The incident: another process joined the port with SO_REUSEPORT, took connections and exited.
func TestAThiefOfThePortIsSeenAsAResetBeforeTheResponse(t *testing.T) {
	t.Parallel()

	b := badsite.Stolen()
	server := badsite.StartT(t, b)
	result := site.NewProber(target(t, server, b)).Probe(context.Background())

	require.Equal(t, site.ReasonResetBeforeResponse, result.Reason)
	require.Contains(t, result.Sentence, server.Addr())
	require.Contains(t, result.Sentence, "another process")
}

// A canceled probe ends at once and is never told as a failure of the site.
func TestACanceledProbeIsNoFailureOfTheSite(t *testing.T) {
	t.Parallel()

	b := badsite.SilentAfterRequest()
	b.Probe.Timeout = 10 * time.Second
	server := badsite.StartT(t, b)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)

	start := time.Now()
	result := site.NewProber(target(t, server, b)).Probe(ctx)

	require.Equal(t, site.ReasonLocalError, result.Reason)
	require.Less(t, time.Since(start), time.Second)
}
