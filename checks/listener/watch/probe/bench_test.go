package probe

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// BenchmarkPrograms reports what one run of each program takes, by the kernel's own account, which costs some 30 ns of each
// run itself. Both ends of a connection together change their state nine times and are released twice.
func BenchmarkPrograms(b *testing.B) {
	const connections = 20_000

	p, err := Open(RingSize)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, p.Close()) })
	require.NoError(b, watchAllUDP(p))
	require.NoError(b, p.SetPorts(ports(2000)))

	account, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, account.Close()) })

	for b.Loop() {
		listeners.Start(b, listeners.Task{Interfaces: true, Connections: connections, Workers: 8}, inItsOwn()).Stop()
	}

	for i, unit := range []string{"ns/exec", "ns/transition", "ns/bind", "ns/bind", "ns/release"} {
		stats, err := p.loaded[i].program.Stats()
		require.NoError(b, err)

		if stats.RunCount > 0 && unit != "ns/bind" {
			b.ReportMetric(float64(stats.Runtime)/float64(stats.RunCount), unit)
		}
	}

	b.ReportMetric(0, "ns/op")
}
