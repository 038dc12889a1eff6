package watch

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	rounds              = 10
	connectionsPerRound = 10_000
	// otherListeners is far more than others on the host open in a round, and far less than its connections.
	otherListeners = connectionsPerRound / 10
)

// BenchmarkConnection makes, accepts and closes connections, turn by turn without the watch and with it, and reports the
// processor time for each of both, by the rounds that others on the host disturbed least. It is bound to 3 % more with it.
// Of the 100,000 connections under the watch none may be taken for a listener.
func BenchmarkConnection(b *testing.B) {
	s := serve(b)
	defer s.close()

	var without, with []time.Duration

	for b.Loop() {
		for range rounds {
			without = append(without, s.round(b))

			w := New(options())
			require.NoError(b, w.Start(context.Background()))

			with = append(with, s.round(b))

			require.Less(b, w.Snapshot().Opened, uint64(otherListeners))
			require.NoError(b, w.Close())
		}
	}

	off, on := least(without), least(with)
	b.ReportMetric(off, "us-without")
	b.ReportMetric(on, "us-with")
	b.ReportMetric(100*(on-off)/off, "%more")
	b.ReportMetric(0, "ns/op")
}

// server accepts connections, reads a byte and closes them.
type server struct {
	listener *net.TCPListener
	ended    sync.WaitGroup
}

func serve(b *testing.B) *server {
	b.Helper()

	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(b, err)

	s := &server{listener: l}
	s.ended.Go(func() {
		for {
			conn, err := l.AcceptTCP()
			if err != nil {
				return
			}

			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	})

	return s
}

func (s *server) address() string { return s.listener.Addr().String() }

func (s *server) close() {
	_ = s.listener.Close()
	s.ended.Wait()
}

// round returns the processor time of one connection, of both its ends.
func (s *server) round(b *testing.B) time.Duration {
	b.Helper()
	runtime.GC()

	before := processorTime(b)

	for range connectionsPerRound {
		conn, err := net.DialTCP("tcp4", nil, s.listener.Addr().(*net.TCPAddr))
		require.NoError(b, err)

		// It ends by a reset, as otherwise it would keep its port for a minute.
		require.NoError(b, conn.SetLinger(0))

		_, err = conn.Write([]byte{1})
		require.NoError(b, err)

		_, _ = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}

	return (processorTime(b) - before) / connectionsPerRound
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()

	var used unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &used))

	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// least is in microseconds.
func least(times []time.Duration) float64 {
	return float64(slices.Min(times)) / float64(time.Microsecond)
}

// BenchmarkMemory reports by how much a watch makes this process grow, and what it takes in the kernel. Both together are
// bound to 6 MiB.
func BenchmarkMemory(b *testing.B) {
	const (
		mebibyte = 1 << 20
		bound    = 6
	)

	// What is made once is made for another watch.
	warm := New(options())
	require.NoError(b, warm.Start(context.Background()))
	require.NoError(b, warm.Close())

	for b.Loop() {
		debug.FreeOSMemory()

		before := procfile.RSS(os.Getpid())
		w := New(options())
		require.NoError(b, w.Start(context.Background()))
		debug.FreeOSMemory()

		process := (float64(procfile.RSS(os.Getpid())) - float64(before)) / mebibyte
		kernel := float64(kernelMemory(b)) / mebibyte

		require.NoError(b, w.Close())
		b.ReportMetric(process, "MiB-process")
		b.ReportMetric(kernel, "MiB-kernel")
		require.Less(b, process+kernel, float64(bound))
	}

	b.ReportMetric(0, "ns/op")
}

// kernelMemory is what the maps and programs of this process take, as the kernel counts it in /proc/PID/fdinfo.
func kernelMemory(b *testing.B) (bytes uint64) {
	b.Helper()

	files, err := filepath.Glob("/proc/self/fdinfo/*")
	require.NoError(b, err)

	for _, file := range files {
		text, _ := os.ReadFile(file)

		for line := range strings.Lines(string(text)) {
			if digits, found := strings.CutPrefix(line, "memlock:\t"); found {
				one, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
				require.NoError(b, err)

				bytes += one
			}
		}
	}

	return bytes
}

// BenchmarkStart is how long it takes to begin to watch.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		w := New(options())
		require.NoError(b, w.Start(context.Background()))
		require.NoError(b, w.Close())
	}
}
