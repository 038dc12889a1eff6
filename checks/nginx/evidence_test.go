package nginx

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

const (
	// rounds is how many tests are made of what would do harm now and then; roundsVariable asks for more, and for more load.
	rounds         = 300
	roundsVariable = "NGINX_EVIDENCE_ROUNDS"
	// controlLimit is how long a control may take to show the harm.
	controlLimit = 30 * time.Second
)

func roundsOf(tb testing.TB) int {
	tb.Helper()

	text := os.Getenv(roundsVariable)
	if text == "" {
		return rounds
	}

	wanted, err := strconv.Atoi(text)
	require.NoError(tb, err, roundsVariable)

	return wanted
}

// isolate tests the configuration of an nginx with a program, which must find it good, as this package does. What the
// test would have bound shows that there was something to keep it from.
func isolate(tb testing.TB, s *sandbox.Sandbox, n *nginx.Nginx, program string) *sandbox.Result {
	tb.Helper()

	r, err := s.Test(tb.Context(), sandbox.Command{Binary: program, Args: []string{"-p", n.Dir(), "-c", n.ConfPath()}})
	require.NoError(tb, err)
	require.Zero(tb, r.ExitCode, "%s", r.Output)
	require.Contains(tb, string(r.Output), "test is successful")
	require.Equal(tb, sandbox.TechniqueNotify, r.Technique)
	require.NotEmpty(tb, r.Binds)
	require.Empty(tb, r.Refusals)

	return r
}

// bare does so the ordinary way, with all that this does to the host.
func bare(tb testing.TB, n *nginx.Nginx, program string) {
	tb.Helper()

	verdict, err := n.Test(program)
	require.NoError(tb, err)
	require.Zero(tb, verdict.ExitCode, verdict.Output)
}

// until has a control go on until it has shown the harm.
func until(tb testing.TB, shown func() bool, goOn func()) {
	tb.Helper()

	for deadline := time.Now().Add(controlLimit); !shown(); {
		require.True(tb, time.Now().Before(deadline), "the control shows nothing")
		goOn()
	}
}

// packaged is the nginx of a suite.
func packaged(tb testing.TB, suite nginx.Suite) string {
	tb.Helper()

	build, err := nginx.InstallSuite(suite)
	require.NoError(tb, err)

	return build.Path
}
