package sandbox

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

const (
	// manyRuns are against the double that takes connections, fewRuns otherwise.
	manyRuns, fewRuns = 300, 60
	// hold is how long a double would keep the sockets that it must not have.
	hold = 5 * time.Millisecond
)

// testUnderLoad tests a configuration with a program over and over.
func testUnderLoad(t *testing.T, technique Technique, n *nginx.Nginx, program string, runs int) (last *Result) {
	t.Helper()
	s := only(technique)
	for range runs {
		result, err := s.Test(context.Background(), Command{Binary: program, Args: []string{"-p", n.Dir(), "-c", n.ConfPath()}})
		require.NoError(t, err)
		require.Zero(t, result.ExitCode, "%s", result.Output)
		require.NotEmpty(t, result.Binds)
		last = result
	}
	return last
}

// That bare tests of the same doubles do take what is not theirs is shown in package load.
func TestUnderLoadNoConnectionAndNoDatagramIsLost(t *testing.T) {
	for _, version := range []string{badnginx.ThiefOfConnections, badnginx.ThiefOfDatagrams, ""} {
		t.Run("version "+version, func(t *testing.T) {
			both(t, func(t *testing.T, technique Technique) {
				n := nginx.StartT(t, nginx.Options{Workers: 2, ReusePort: true, Stream: []string{nginx.AnswerUDP}, Main: []string{badnginx.Hold(hold)}})
				program := n.Program()
				if version != "" {
					program = badnginx.BuildT(t, version)
				}
				clients := load.StartT(t, load.Clients{Address: n.Addr(), Limit: time.Minute})
				datagrams := load.StartDatagramsT(t, load.Datagrams{Address: n.StreamAddr(), Limit: time.Minute})
				runs := fewRuns
				if version == badnginx.ThiefOfConnections && technique == TechniqueNotify {
					runs = manyRuns
				}
				last := testUnderLoad(t, technique, n, program, runs)
				require.Equal(t, version == badnginx.ThiefOfConnections, last.Binds[0].ReusePort)
				requests := clients.Stop()
				require.Positive(t, requests.Answered)
				require.Equal(t, requests.Requests, requests.Answered, requests)
				sent, err := datagrams.Stop()
				require.NoError(t, err)
				require.Equal(t, sent.Sent, sent.Answered, sent)
				t.Log(requests)
				t.Log(sent)
			})
		})
	}
}

func TestWhileNginxIsDownNobodyIsConnectedToATest(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		n := nginx.PrepareT(t, nginx.Options{Main: []string{badnginx.Hold(hold)}})
		clients := load.StartT(t, load.Clients{Address: n.Addr(), Number: 8, Limit: time.Minute})
		testUnderLoad(t, technique, n, badnginx.BuildT(t, badnginx.Honest), fewRuns)
		testUnderLoad(t, technique, n, n.Program(), fewRuns)
		report := clients.Stop()
		require.Positive(t, report.Refused)
		require.Equal(t, report.Requests, report.Refused, report)
	})
}

func TestTestsDoNotDelayTheStartOfNginx(t *testing.T) {
	const starts = 60
	// nginx that finds its port taken tries again after this time.
	const retry = 500 * time.Millisecond
	n := nginx.PrepareT(t, nginx.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var tests atomic.Int64
	go func() {
		for s := New(); ctx.Err() == nil; tests.Add(1) {
			_, _ = s.Test(ctx, Command{Binary: n.Program(), Args: []string{"-p", n.Dir(), "-c", n.ConfPath()}})
		}
		close(ended)
	}()
	began := time.Now()
	started := 0
	// On a busy machine the tests are slower than the starts.
	for ; started < starts || tests.Load() <= starts; started++ {
		require.NoError(t, n.Start())
		require.NoError(t, n.Halt())
	}
	took := time.Since(began)
	cancel()
	<-ended
	require.Less(t, took, time.Duration(started)*retry)
	require.NotContains(t, n.Log(), "Address already in use")
}
