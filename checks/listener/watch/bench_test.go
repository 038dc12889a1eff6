package watch

import (
	"context"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/testenv/bpf"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// otherListeners is far more than others on the host open in a round, and far less than its connections.
const otherListeners = 500

// BenchmarkConnection is bound to 3 %: connections are made, accepted and closed, over and over, by one thread, as the shorter the way of a connection
// is, the more the watch shows. None may be taken for a listener. The cost is the processor time of this process, which watches.
func BenchmarkConnection(b *testing.B) {
	if os.Geteuid() != 0 {
		return
	}

	const bound = 3

	bpf.OneProcessor(b)

	loop := listen(b)

	l := bpf.Load{
		Unit: "connection", Turns: 40, Tracepoints: []string{"inet_sock_set_state", "sched_process_exec"},
		Programs: func() func() {
			w := New(options())
			require.NoError(b, w.Start(context.Background()))

			return func() {
				require.Less(b, w.Snapshot().Opened, uint64(otherListeners))
				require.NoError(b, w.Close())
			}
		},
		Do: bpf.Loop(func() time.Duration { return processorTime(b) }, func() { loop.connect(b) }),
	}

	for b.Loop() {
		l.Measure(b).Report(b, l, bound)
	}
}

// server is a listening socket that is asked by those who own it.
type server struct {
	descriptor int
	address    unix.Sockaddr
}

func listen(b *testing.B) server {
	b.Helper()

	descriptor, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, unix.Close(descriptor)) })
	require.NoError(b, unix.Bind(descriptor, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(b, unix.Listen(descriptor, 1))

	address, err := unix.Getsockname(descriptor)
	require.NoError(b, err)

	return server{descriptor, address}
}

// connect makes a connection, sends a byte through it and closes both ends.
func (s server) connect(b *testing.B) {
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	s.require(b, err)
	// It ends by a reset, as otherwise it would keep its port for a minute.
	s.require(b, unix.SetsockoptLinger(client, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	s.require(b, unix.Connect(client, s.address))

	accepted, _, err := unix.Accept4(s.descriptor, unix.SOCK_CLOEXEC)
	s.require(b, err)

	_, err = unix.Write(client, []byte{1})
	s.require(b, err)

	_, err = unix.Read(accepted, make([]byte, 1))
	s.require(b, err)
	s.require(b, unix.Close(accepted))
	s.require(b, unix.Close(client))
}

// require takes no time where all is well.
func (s server) require(b *testing.B, err error) {
	if err != nil {
		require.NoError(b, err)
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()

	var used unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &used))

	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkMemory reports by how much a watch makes this process grow, at its start and when it has seen 10,000 listeners of a millisecond, and what it
// takes in the kernel. Both together are bound to 6 MiB.
func BenchmarkMemory(b *testing.B) {
	const (
		mebibyte = 1 << 20
		bound    = 6
		many     = 10_000
	)

	// What is made once is made for another watch.
	warm := New(options())
	require.NoError(b, warm.Start(context.Background()))
	require.NoError(b, warm.Close())

	for b.Loop() {
		before := resident()
		w := New(options())
		require.NoError(b, w.Start(context.Background()))

		most := resident()
		kernel := float64(bpf.Holds(b).Bytes) / mebibyte

		listeners.Start(b, listeners.Task{Interfaces: true, Listeners: many, Workers: 8, Life: time.Millisecond}, inItsOwn()).Stop()
		require.Eventually(b, func() bool { return w.Snapshot().Opened >= many }, patience, 10*time.Millisecond)

		process := float64(max(most, resident())-before) / mebibyte

		require.NoError(b, w.Close())
		b.ReportMetric(process, "MiB-process")
		b.ReportMetric(kernel, "MiB-kernel")
		b.ReportMetric(bound, "MiB-bound")
		require.Less(b, process+kernel, float64(bound))
	}

	b.ReportMetric(0, "ns/op")
}

// resident is the memory that this process really uses.
func resident() (bytes int64) {
	debug.FreeOSMemory()

	return int64(procfile.RSS(os.Getpid()))
}

// BenchmarkStart is how long it takes to begin to watch.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		w := New(options())
		require.NoError(b, w.Start(context.Background()))
		require.NoError(b, w.Close())
	}
}
