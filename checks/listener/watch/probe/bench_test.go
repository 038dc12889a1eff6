package probe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernelcost"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// BenchmarkPrograms reports what one run of each program takes, by the kernel's own account, which costs some 40 ns of each
// run itself. Both ends of a connection together change their state nine times and are released twice.
func BenchmarkPrograms(b *testing.B) {
	const connections = 20_000

	p, err := Open(RingSize)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, p.Close()) })
	require.NoError(b, watchAllUDP(p))
	require.NoError(b, p.SetPorts(ports(2000)))

	for b.Loop() {
		for _, one := range kernelcost.Account(b, func() {
			listeners.Start(b, listeners.Task{Interfaces: true, Connections: connections, Workers: 8}, inItsOwn()).Stop()
		}) {
			if one.Count > 0 {
				b.ReportMetric(float64(one.Time)/float64(one.Count)/float64(time.Nanosecond), "ns/"+one.Name)
			}
		}
	}

	b.ReportMetric(0, "ns/op")
}
