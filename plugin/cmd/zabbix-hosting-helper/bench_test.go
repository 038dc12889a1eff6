package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// The bounds of the root helper.
const (
	maxAddedMS      = 0.25
	maxActivationMS = 100
	maxRSS          = 20 << 20
)

// report reports a figure that has a bound, and says so where it is over.
func report(b *testing.B, measured, bound float64, unit string) {
	b.Helper()
	b.ReportMetric(measured, unit)

	if measured > bound {
		b.Logf("OVER: %s is %.3f, more than %.2f", unit, measured, bound)
	}
}

// build returns the helper as it is installed, which is smaller than the test binary.
func build(b *testing.B) string {
	b.Helper()

	path := filepath.Join(b.TempDir(), "helper")
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	printed, err := command.CombinedOutput()
	require.NoError(b, err, "%s", printed)

	return path
}

func median(times []time.Duration) float64 {
	slices.Sort(times)

	return times[len(times)/2].Seconds() * 1e3
}

// BenchmarkKeyThroughTheHelper times keys in a process of nobody's that asks the helper and in one of root's that does not, turn by turn,
// and reports both medians and what the helper adds. Where the benchmark is not run by root, both ask nobody and nothing is added.
func BenchmarkKeyThroughTheHelper(b *testing.B) {
	n := nginx.StartT(b, nginx.Options{})
	_, port, err := net.SplitHostPort(n.Addr())
	require.NoError(b, err)

	s := listen(b)
	launchProgram(b, build(b), writeConfig(b), []*os.File{s.file}, "helper")

	user := uint32(os.Geteuid())
	direct := startPlugin(b, "/none", user)

	if user == 0 {
		user = nobody
	}

	asked := startPlugin(b, s.path, user)

	for _, e := range []evaluation{
		{"hosting.slab.get", []string{}},
		{"hosting.listener.get", []string{port}},
		{"hosting.nginx.config", []string{n.ConfPath()}},
	} {
		b.Run(e.Key, func(b *testing.B) {
			var without, with []time.Duration

			// The first test of a configuration, and the rest after it, are over.
			for range 20 {
				direct.evaluate(b, e)
				asked.evaluate(b, e)
				time.Sleep(10 * time.Millisecond)
			}

			for b.Loop() {
				without = append(without, direct.evaluate(b, e).Took)
				with = append(with, asked.evaluate(b, e).Took)
			}

			own, through := median(without), median(with)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(own, "ms-direct-p50")
			b.ReportMetric(through, "ms-asked-p50")
			report(b, through-own, maxAddedMS, "ms-added-p50")
		})
	}
}

// BenchmarkActivation is the time from the first connection, at which systemd-socket-activate becomes the helper, to its answer.
func BenchmarkActivation(b *testing.B) {
	path, config := build(b), writeConfig(b)

	var times []time.Duration

	for b.Loop() {
		b.StopTimer()
		p, socket := activate(b, path, config)
		client := helper.NewClient(socket)
		begun := time.Now()

		b.StartTimer()
		_, err := client.Status(b.Context())
		b.StopTimer()

		times = append(times, time.Since(begun))

		require.NoError(b, err, p.stderr.String())
		client.Close()
		require.NoError(b, p.cmd.Process.Kill())
		<-p.exited
		b.StartTimer()
	}

	report(b, median(times), maxActivationMS, "ms-p50")
	b.ReportMetric(times[len(times)-1].Seconds()*1e3, "ms-most")
}

// BenchmarkMemory is what the helper holds after 10,000 requests of all verbs.
func BenchmarkMemory(b *testing.B) {
	nginx.StartT(b, nginx.Options{Workers: 2})

	var most uint64

	path, s := build(b), listen(b)

	for b.Loop() {
		p := launchProgram(b, path, writeConfig(b), []*os.File{s.file}, "helper")
		conn, err := net.Dial("unix", s.path)
		require.NoError(b, err)

		reader := bufio.NewReader(conn)

		for at := range 10_000 {
			info := helper.Verbs()[at%len(helper.Verbs())]
			target := helper.Request{Verb: info.Verb, Port: uint16(at % 1000)}.Target()
			_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: helper\r\n\r\n", target)
			require.NoError(b, err)

			response, err := http.ReadResponse(reader, nil)
			require.NoError(b, err)
			_, err = reader.Discard(contentLength(b, response))
			require.NoError(b, err)
		}

		require.NoError(b, conn.Close())

		most = max(most, procfile.RSS(p.cmd.Process.Pid))
		require.NoError(b, p.cmd.Process.Kill())
		<-p.exited
	}

	report(b, float64(most), maxRSS, "B-RSS")
}

func contentLength(b *testing.B, response *http.Response) int {
	b.Helper()

	length, err := strconv.Atoi(strings.TrimSpace(response.Header.Get("Content-Length")))
	require.NoError(b, err)

	return length
}
