package sandbox

import (
	"context"
	"os"
	"os/exec" //nolint:depguard // the figures are beside those of an ordinary test.
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// BenchmarkTest compares isolated with ordinary tests, one after the other, so that both meet the same machine. The bound of the overhead (the
// difference of the medians) is 2 ms and 5 % of an ordinary test.
func BenchmarkTest(b *testing.B) {
	for _, c := range []struct {
		name   string
		vhosts int
		shape  nginx.Shape
	}{
		{name: "small", vhosts: 1},
		{name: "10000 vhosts in a file", vhosts: 10_000},
		{name: "10000 vhosts in files", vhosts: 10_000, shape: nginx.Shape{Layout: nginx.ConfD}},
		{name: "10000 vhosts with logs", vhosts: 10_000, shape: nginx.Shape{OwnLogs: true}},
	} {
		p := newPrefix(b)
		lines, err := nginx.Vhosts(p.dir, c.vhosts, c.shape)
		require.NoError(b, err)
		p.configure(b, "", lines[0]+lines[1]+lines[2]+"access_log off;")
		for _, technique := range []Technique{TechniqueNotify, TechniqueTrace} {
			b.Run(c.name+"/"+technique.String(), func(b *testing.B) { p.compareSpeed(b, only(technique).Test) })
		}
		if os.Geteuid() == 0 {
			b.Run(c.name+"/as the root helper", func(b *testing.B) { p.compareSpeed(b, asHelper(TechniqueNotify)) })
		}
	}
}

func (p *prefix) compareSpeed(b *testing.B, test func(context.Context, Command) (*Result, error)) {
	command := p.command()
	command.NoFile = 20_000
	var isolated, ordinary []time.Duration
	notifications := 0
	for b.Loop() {
		began := time.Now()
		result, err := test(context.Background(), command)
		isolated = append(isolated, time.Since(began))
		require.NoError(b, err)
		require.Zero(b, result.ExitCode, "%s", result.Output)
		notifications = result.Notifications

		bare := exec.Command(p.binary, append(p.arguments(), "-t")...)
		began = time.Now()
		output, err := bare.CombinedOutput()
		ordinary = append(ordinary, time.Since(began))
		require.NoError(b, err, "%s", output)
	}
	with, without := median(isolated), median(ordinary)
	const ms = float64(time.Millisecond)
	b.ReportMetric(float64(with)/ms, "isolated-ms")
	b.ReportMetric(float64(without)/ms, "ordinary-ms")
	b.ReportMetric(float64(with-without)/ms, "overhead-ms")
	b.ReportMetric(2+0.05*float64(without)/ms, "bound-ms")
	b.ReportMetric(float64(slices.Min(isolated)-slices.Min(ordinary))/ms, "overhead-of-fastest-ms")
	b.ReportMetric(float64(notifications), "notifications")
}

func median(durations []time.Duration) time.Duration {
	slices.Sort(durations)
	return durations[len(durations)/2]
}
