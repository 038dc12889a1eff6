package slabowner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernelcost"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// BenchmarkNginx is bound to 3 %: wrk asks a real nginx for a small page, as it comes with nginx. Visitors of a site keep their connections; what a new
// one for each request costs is measured beside it. The cost is the processor time of nginx and of wrk.
func BenchmarkNginx(b *testing.B) {
	const (
		bound    = 3
		pageSize = 612
	)

	if !mayFollow(b) {
		return
	}

	root := b.TempDir()
	require.NoError(b, os.WriteFile(filepath.Join(root, "index.html"), []byte(strings.Repeat("a", pageSize)), 0o644))

	server := nginx.StartT(b, nginx.Options{Root: root, HTTP: []string{"sendfile on;", "tcp_nopush on;"}})
	programs := following(b)

	for _, one := range []struct {
		name string
		keep bool
	}{{"Kept", true}, {"NewConnections", false}} {
		b.Run(one.name, func(b *testing.B) {
			wrk := load.StartWrk(b, server.URL(), one.keep)
			l := kernelcost.Load{Unit: "request", Turns: 150, Tracepoints: tracepoints, Programs: programs, Do: requests(b, wrk, server.Workers())}

			for b.Loop() {
				l.Measure(b).Report(b, l, bound)
			}
		})
	}
}

// requests are those of a short while, without its beginning.
func requests(b *testing.B, wrk *load.Wrk, workers []int) func() (spent time.Duration, units int) {
	b.Helper()

	const (
		beginning = 5 * time.Millisecond
		round     = 50 * time.Millisecond
	)

	processes := append(workers, wrk.PID())
	kernelcost.OneProcessor(b, processes...)

	now := func() (time.Duration, int) {
		sent, err := wrk.Requests()
		require.NoError(b, err)

		return kernelcost.ProcessorTime(b, processes...), sent
	}

	return func() (time.Duration, int) {
		time.Sleep(beginning)

		spentBefore, before := now()

		time.Sleep(round)

		spent, sent := now()

		return spent - spentBefore, sent - before
	}
}
