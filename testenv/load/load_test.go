package load_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

const (
	// patience is how long a test waits for what must happen; honestRuns is how often what must not happen is tried.
	patience   = 8 * time.Second
	honestRuns = 60
	hold       = 5 * time.Millisecond
)

// shared is a server whose sockets can be joined.
var shared = nginx.Options{Workers: 2, ReusePort: true, Stream: []string{nginx.AnswerUDP}, Main: []string{badnginx.Hold(hold)}}

// testUntil runs configuration tests until enough has happened, or the time is over.
func testUntil(t *testing.T, n *nginx.Nginx, program string, enough func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !enough() && time.Now().Before(deadline); {
		verdict, err := n.Test(program, "-q")
		require.NoError(t, err)
		require.Zero(t, verdict.ExitCode, verdict.Output)
	}
}

// times is enough after so many runs.
func times(runs int) func() bool {
	return func() bool {
		runs--
		return runs < 0
	}
}

func TestNginxThatNobodyTestsLosesNothing(t *testing.T) {
	n := nginx.StartT(t, shared)
	clients := load.StartT(t, load.Clients{Address: n.Addr(), Limit: 2 * time.Second})
	datagrams := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr(), Limit: 2 * time.Second})
	time.Sleep(2 * time.Second)
	report := clients.Stop()
	require.Positive(t, report.Answered)
	require.Equal(t, report.Requests, report.Answered, report)
	require.Positive(t, report.P50)
	require.GreaterOrEqual(t, report.Max, report.P99)
	require.Equal(t, report, clients.Stop())
	t.Log(report)

	sent, err := datagrams.Stop()
	require.NoError(t, err)
	require.Positive(t, sent.Sent)
	require.Equal(t, sent.Sent, sent.Answered, sent)
	t.Log(sent)
}

// The incident: a test every minute took clients' connections and reset them. The last case is the control.
func TestBareTestsOfOldVersionsTakeWhatIsNotTheirs(t *testing.T) {
	for name, test := range map[string]struct {
		version                    string
		takesRequests, takesPacket bool
	}{
		"1.13.0 takes connections and datagrams": {version: badnginx.ThiefOfConnections, takesRequests: true, takesPacket: true},
		"1.20.2 takes datagrams":                 {version: badnginx.ThiefOfDatagrams, takesPacket: true},
		"1.22.1 takes neither":                   {version: badnginx.Honest},
	} {
		t.Run(name, func(t *testing.T) {
			program := badnginx.BuildT(t, test.version)
			n := nginx.StartT(t, shared)
			clients := load.StartT(t, load.Clients{Address: n.Addr()})
			datagrams := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr()})
			enough := times(honestRuns)
			if test.takesRequests || test.takesPacket {
				enough = func() bool {
					return clients.Report().Lost() > 0 == test.takesRequests && datagrams.Unanswered() > 0 == test.takesPacket
				}
			}
			testUntil(t, n, program, enough)
			report := clients.Stop()
			require.Equal(t, test.takesRequests, report.Lost() > 0, report)
			sent, err := datagrams.Stop()
			require.NoError(t, err)
			require.Equal(t, test.takesPacket, sent.Lost > 0, sent)
			t.Log(report)
			t.Log(sent)
		})
	}
}

// Debian 11's nginx has the fault for real, Debian 12's has not. Many virtual hosts have it hold its sockets for long.
func TestBareTestsOfDebiansVersions(t *testing.T) {
	for suite, takes := range map[nginx.Suite]bool{nginx.Bullseye: true, nginx.Bookworm: false} {
		t.Run(string(suite), func(t *testing.T) {
			n := nginx.PrepareT(t, nginx.Options{Suite: suite})
			lines, err := nginx.Vhosts(n.Dir(), 3000, nginx.Shape{Listen: n.Addr()})
			require.NoError(t, err)
			require.NoError(t, n.Configure(nginx.Options{Stream: shared.Stream, HTTP: lines}))
			require.NoError(t, n.Start())
			datagrams := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr()})
			enough := times(20)
			if takes {
				enough = func() bool { return datagrams.Unanswered() > 0 }
			}
			testUntil(t, n, "", enough)
			sent, err := datagrams.Stop()
			require.NoError(t, err)
			require.Equal(t, takes, sent.Lost > 0, sent)
			t.Log(sent)
		})
	}
}

// While nginx is down, today's `nginx -t` still takes connections on its ports.
func TestABareTestOfARealNginxIsConnectedToWhileNginxIsDown(t *testing.T) {
	n := nginx.PrepareT(t, nginx.Options{})
	clients := load.StartT(t, load.Clients{Address: n.Addr(), Number: 8})
	testUntil(t, n, "", func() bool { return clients.Report().Connected() > 0 })
	report := clients.Stop()
	require.Positive(t, report.Refused, report)
	require.Positive(t, report.Connected(), report)
	require.Zero(t, report.Answered, report)
	require.Zero(t, report.Other, report)
	t.Log(report)
}

func TestNobodyIsConnectedToWhereNobodyListens(t *testing.T) {
	n := nginx.PrepareT(t, nginx.Options{Stream: shared.Stream})
	report := load.StartT(t, load.Clients{Address: n.Addr(), MaxRequests: 500}).Stop()
	require.Zero(t, report.Connected(), report)
	clients := load.StartT(t, load.Clients{Address: n.Addr(), Number: 2, MaxRequests: 500, Pause: time.Microsecond})
	require.Eventually(t, func() bool { return clients.Report().Requests == 500 }, patience, time.Millisecond)
	report = clients.Stop()
	require.Equal(t, int64(500), report.Refused, report)

	datagrams := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr(), Number: 4, PerSecond: 500, Limit: 200 * time.Millisecond})
	time.Sleep(200 * time.Millisecond)
	sent, err := datagrams.Stop()
	require.NoError(t, err)
	require.Positive(t, sent.Refused)
	require.Zero(t, sent.Answered+sent.Lost)
}

func TestLoadGoesToLoopbackOnly(t *testing.T) {
	for _, address := range []string{"192.0.2.1:80", "[::1]:80", "localhost:80", ""} {
		_, err := load.Start(load.Clients{Address: address})
		require.ErrorContains(t, err, "cannot put load on \""+address+"\": it is no port of 127.0.0.0/8")
		_, err = load.StartDatagrams(load.Datagrams{Address: address})
		require.ErrorContains(t, err, "start the server there")
	}
}
