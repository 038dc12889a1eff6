package agent

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRelay times a trivial request to a worker process, turn by turn with and without the link between, and reports
// the medians and what the relay adds.
func BenchmarkRelay(b *testing.B) {
	direct, relayed := startDirect(b), startRelayed(b)

	for i := range uint32(200) {
		roundTrip(b, direct, i+1)
		roundTrip(b, relayed, i+1)
	}

	var withoutLink, withLink []time.Duration

	id := uint32(1000)
	for b.Loop() {
		id++
		withoutLink = append(withoutLink, roundTrip(b, direct, id))
		withLink = append(withLink, roundTrip(b, relayed, id))
	}

	slices.Sort(withoutLink)
	slices.Sort(withLink)

	middle := len(withLink) / 2
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(withoutLink[middle].Microseconds()), "direct-p50-µs")
	b.ReportMetric(float64(withLink[middle].Microseconds()), "relayed-p50-µs")
	b.ReportMetric(float64((withLink[middle] - withoutLink[middle]).Microseconds()), "relay-adds-p50-µs")
}

// startDirect returns a connection to a worker process.
func startDirect(b *testing.B) *frameConn {
	b.Helper()

	p, err := startProcess("/proc/self/exe", nil)
	require.NoError(b, err)
	b.Cleanup(func() { p.kill("the benchmark is over") })

	return p.conn
}

// startRelayed returns a connection to a link, in a process of its own as its worker is.
func startRelayed(b *testing.B) *frameConn {
	b.Helper()

	socket := filepath.Join(b.TempDir(), "agent.sock")
	listener, err := net.Listen("unix", socket)
	require.NoError(b, err)

	defer listener.Close()

	cmd := exec.Command("/proc/self/exe", socket, "false")
	require.NoError(b, cmd.Start())

	conn, err := listener.Accept()
	require.NoError(b, err)
	b.Cleanup(func() {
		conn.Close()

		_ = cmd.Wait()
	})

	return newFrameConn(conn)
}

func roundTrip(b *testing.B, conn *frameConn, id uint32) time.Duration {
	b.Helper()

	request := frame(jsonFrame(fmt.Sprintf(`{"id":%d,"type":6,"key":"faulty.echo","parameters":["x"],"timeout":3}`, id)))
	start := time.Now()

	if err := conn.write(request); err != nil {
		require.NoError(b, err)
	}

	for {
		f, err := conn.read()
		if err != nil {
			require.NoError(b, err)
		}

		if common, err := f.peek(); err == nil && common.Id == id {
			return time.Since(start)
		}
	}
}
