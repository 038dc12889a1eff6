package badsite

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seen is what a plain socket meets, by behavior; where a race decides, all that it may meet.
var seen = map[string][]string{
	"ok":                            {`answer: "…ody></html>\n", EOF`},
	"ok_over_tls":                   {`answer: "…ody></html>\n", EOF`},
	"ok_chunked":                    {`answer: "…tml>\n\r\n0\r\n\r\n", EOF`},
	"ok_until_close":                {`answer: "…ody></html>\n", EOF`},
	"ok_cut_tls":                    {`answer: "…ody></html>\n", EOF`},
	"ok_early_hints":                {`answer: "…ody></html>\n", EOF`},
	"ok_huge_body":                  {`answer: "a MiB", EOF`},
	"ok_endless_body":               {`answer: "a MiB", EOF`},
	"ok_slow_first_byte":            {`answer: "…ody></html>\n", EOF`},
	"connect_refused":               {"connect: connection refused"},
	"connect_timeout":               {"connect: timeout"},
	"backlog_full":                  {"connect: timeout"},
	"connect_unreachable":           {"connect: network is unreachable"},
	"source_not_ours":               {`answer: "…ody></html>\n", EOF`},
	"plain_http_on_tls_port":        {"handshake: no TLS"},
	"handshake_alert":               {"handshake: alert"},
	"handshake_garbage":             {"handshake: no TLS"},
	"handshake_closed":              {"handshake: EOF"},
	"certificate_expired":           {"handshake: certificate"},
	"certificate_not_yet_valid":     {"handshake: certificate"},
	"certificate_wrong_host":        {"handshake: certificate"},
	"certificate_unknown_authority": {"handshake: certificate"},
	"certificate_self_signed":       {"handshake: certificate"},
	"ok_certificate_not_checked":    {`answer: "…ody></html>\n", EOF`},
	"tls_timeout":                   {"handshake: timeout"},
	"handshake_reset":               {"handshake: reset"},
	"reset_at_once":                 {"connect: reset", "request: reset", `answer: "nothing", reset`},
	"reset_in_request":              {"request: reset"},
	"reset_after_request":           {`answer: "nothing", reset`},
	"stolen":                        {`answer: "nothing", reset`},
	"reset_in_headers":              {`answer: "…200 OK\r\nConn", reset`},
	"reset_after_headers":           {`answer: "…gth: 108\r\n\r\n", reset`},
	"reset_in_body":                 {`answer: "…itle></head>", reset`},
	"reset_in_chunk":                {`answer: "…title></head", reset`},
	"closed_at_once":                {`answer: "nothing", EOF`},
	"closed_after_request":          {`answer: "nothing", EOF`},
	"truncated_body":                {`answer: "…itle></head>", EOF`},
	"truncated_headers":             {`answer: "… close\r\nCont", EOF`},
	"truncated_chunks":              {`answer: "…y></html>\n\r\n", EOF`},
	"bad_chunk_size":                {`answer: "…y></html>\n\r\n", EOF`},
	"garbage_status":                {`answer: "…Debian-2\r\n\r\n", EOF`},
	"garbage_header":                {`answer: "…no field\r\n\r\n", EOF`},
	"header_too_large":              {`answer: "a MiB", EOF`},
	"corrupt_gzip":                  {`answer: "…ody></html>\n", EOF`},
	"response_timeout":              {`answer: "nothing", timeout`},
	"half_open":                     {`answer: "nothing", timeout`},
	"stalled_body":                  {`answer: "…itle></head>", timeout`},
	"stalled_chunks":                {`answer: "…y></html>\n\r\n", timeout`},
	"status_404":                    {`answer: "…\r\nNot Found\n", EOF`},
	"status_500":                    {`answer: "…erver Error\n", EOF`},
	"status_502":                    {`answer: "…Bad Gateway\n", EOF`},
	"database_error_status":         {`answer: "…ody></html>\n", EOF`},
	"body_mismatch":                 {`answer: "…ody></html>\n", EOF`},
	"body_forbidden":                {`answer: "…ody></html>\n", EOF`},
	"redirect_nowhere":              {`answer: "…ength: 0\r\n\r\n", EOF`},
	"redirect_to_garbage":           {`answer: "…ength: 0\r\n\r\n", EOF`},
}

func TestAPlainSocketMeetsWhatTheBehaviorSays(t *testing.T) {
	for name, want := range seen {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Find(name)
			require.NoError(t, err)
			require.Contains(t, want, meets(StartT(t, b)), b.Does)
		})
	}
}

// What a plain socket cannot read is left to a browser and to tests of its own.
func TestEveryBehaviorIsTested(t *testing.T) {
	elsewhere := []string{"reset_in_http2", "reset_after_http2_request", "redirect_loop", "redirect_chain_6", "redirect_to_refused", "truncated_gzip", "slow_headers", "transfer_timeout"}
	names := map[string]bool{}
	for _, b := range Behaviors() {
		require.False(t, names[b.Name], "two behaviors named %s", b.Name)
		names[b.Name] = true
		_, plain := seen[b.Name]
		require.True(t, plain || b.Reason == "ok" || slices.Contains(elsewhere, b.Name), b.Name)
		require.NotEmpty(t, b.Does, b.Name)
		require.Equal(t, b.Reason == "ok", b.Phase == "", b.Name)
	}
	_, err := Find("none")
	require.ErrorContains(t, err, `cannot find the behavior "none"; use one of ok, ok_over_tls, `)
}

func TestABrowserReadsThePageOfEachGoodBehavior(t *testing.T) {
	for _, b := range Behaviors() {
		if b.Reason != "ok" {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			s := StartT(t, b)
			protocol, body, err := visitPage(t, browser(t, s), s.URL())
			require.NoError(t, err)
			require.Contains(t, body, Pattern)
			require.Equal(t, b.Probe.HTTP2, protocol == "HTTP/2.0")
		})
	}
}

func TestABrowserFailsAtBadRedirectsAndBodies(t *testing.T) {
	for name, want := range map[string]string{
		"redirect_loop":             "stopped after 10 redirects",
		"redirect_to_refused":       "connection refused",
		"truncated_gzip":            "unexpected EOF",
		"slow_headers":              "deadline exceeded",
		"transfer_timeout":          "deadline exceeded",
		"reset_in_http2":            "",
		"reset_after_http2_request": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Find(name)
			require.NoError(t, err)
			s := StartT(t, b)
			_, _, err = visitPage(t, browser(t, s), s.URL())
			require.ErrorContains(t, err, want)
		})
	}
}

func TestALongChainHasOneRedirectTooMany(t *testing.T) {
	s := StartT(t, longChain())
	_, body, err := visitPage(t, browser(t, s), s.URL())
	require.NoError(t, err, "a browser follows ten")
	require.Contains(t, body, Pattern)
	require.EqualValues(t, DefaultRedirects+2, s.Accepted())
}

func TestASlowFirstByteComesAfterItsDelay(t *testing.T) {
	s := StartT(t, OKSlowFirstByte(70*time.Millisecond))
	start := time.Now()
	require.Contains(t, meets(s), "EOF")
	require.GreaterOrEqual(t, time.Since(start), 70*time.Millisecond)
}

func TestABehaviorOverTLSResetsTheEncryptedConnection(t *testing.T) {
	b := ResetAfterRequest().OverTLS()
	require.Equal(t, "reset_after_request_over_tls", b.Name)
	require.Equal(t, `answer: "nothing", reset`, meets(StartT(t, b)))
	require.Equal(t, OKOverTLS().Name, OKOverTLS().OverTLS().Name)
}

func TestABehaviorOfOnesOwn(t *testing.T) {
	s := StartT(t, Behaves("teapot", "status_unexpected", "HTTP/1.0 418 I'm a teapot\r\n\r\n"))
	require.Equal(t, `answer: "…a teapot\r\n\r\n", EOF`, meets(s))
}

func TestBehaviorsChangeAtRunTimeOnTheSamePort(t *testing.T) {
	s := StartT(t, OK())
	address := s.Addr()
	for _, step := range []struct {
		behavior Behavior
		accepted int64
	}{
		{ResetAfterRequest(), 1}, {Refused(), 1}, {OKOverTLS(), 2}, {SynDropped(), 2}, {Crowded(), 2}, {OK(), 3}, {HalfOpen(), 3},
		{Stolen(), 3}, {ClosedAfterRequest(), 4}, {RedirectToOtherHost(), 5}, {RedirectToTLS(), 6}, {Refused(), 6}, {OK(), 7},
	} {
		require.NoError(t, s.Set(step.behavior))
		require.Equal(t, address, s.Addr())
		met := meets(s)
		if want, known := seen[step.behavior.Name]; known {
			require.Contains(t, want, met, step.behavior.Name)
		}
		require.Equal(t, step.accepted, s.Accepted(), step.behavior.Name)
	}
	require.EqualValues(t, 7, s.Requests())
	require.NoError(t, s.Set(Unreachable()))
	require.Equal(t, "connect: network is unreachable", meets(s))

	s.Close()
	require.EqualError(t, s.Set(OK()), "cannot set the behavior of a server that is closed; start another")
	s.Close()
}

// A site that dies takes its connections along; between two polls of Zabbix nobody sees that but the counters.
func TestAnOutageRefusesAndResetsAndIsOver(t *testing.T) {
	s := StartT(t, SilentAfterRequest())
	var before string
	var waiting sync.WaitGroup
	waiting.Go(func() { before = meets(s) })
	require.Eventually(t, func() bool { return s.Requests() == 1 }, time.Second, time.Millisecond)

	over := make(chan error, 1)
	start := time.Now()
	go func() { over <- s.Outage(200 * time.Millisecond) }()
	waiting.Wait()
	require.Equal(t, `answer: "nothing", reset`, before)
	require.Equal(t, "connect: connection refused", meets(s))
	require.NoError(t, <-over)
	require.GreaterOrEqual(t, time.Since(start), 200*time.Millisecond)
	require.Equal(t, `answer: "nothing", timeout`, meets(s))
}

func TestServersOfOneAuthorityShareAPool(t *testing.T) {
	authority, err := NewAuthority()
	require.NoError(t, err)
	first, second := StartT(t, OKOverTLS(), WithAuthority(authority)), StartT(t, OKOverTLS(), WithAuthority(authority))
	_, _, err = visitPage(t, browser(t, first), second.URL())
	require.NoError(t, err)
	require.Contains(t, string(authority.PEM()), "BEGIN CERTIFICATE")
	require.Contains(t, first.NamedURL(), "https://site.test:")
}

func TestAClosedServerLeavesNothing(t *testing.T) {
	run := func() {
		for _, b := range []Behavior{OK(), OKHTTP2(), Crowded(), Stolen(), HalfOpen(), RedirectToTLS(), ResetInBody(), SilentInHandshake()} {
			s, err := Start(b)
			require.NoError(t, err)
			meets(s)
			s.Close()
		}
	}
	run()
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	run()
	// What net/http started ends a little after its connection.
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline) && runtime.NumGoroutine() > goroutines; {
		time.Sleep(time.Millisecond)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
	require.LessOrEqual(t, descriptors(t), files)
}

func descriptors(tb testing.TB) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(tb, err)
	return len(entries)
}
