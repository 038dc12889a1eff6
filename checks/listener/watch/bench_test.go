package watch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
	"zabbix-agent2-plugin-hosting/testenv/kernelcost"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
	"zabbix-agent2-plugin-hosting/testenv/paired"
)

// BenchmarkConnection is bound to 3 %: connections are made, accepted and closed, over and over. Between two parts of a Go program that is what the bound
// was set for; one thread that does nothing else shows the watch the more, as the way of a connection is shorter. The cost is the
// processor time of this process, which watches.
func BenchmarkConnection(b *testing.B) {
	if os.Geteuid() != 0 {
		return
	}

	const bound = 3

	for _, one := range []struct {
		name string
		loop func(*testing.B) (connect func())
	}{{"GoProgram", goLoop}, {"OneThread", threadLoop}} {
		b.Run(one.name, func(b *testing.B) {
			kernelcost.OneProcessor(b)
			// Nothing goes from one processor to another.
			processors := runtime.GOMAXPROCS(1)
			defer runtime.GOMAXPROCS(processors)

			l := kernelcost.Load{
				Unit: "connection", Turns: 24, Tracepoints: []string{"inet_sock_set_state", "sched_process_exec"}, Programs: watching(b),
				Do: kernelcost.Loop(func() time.Duration { return kernelcost.ProcessorTime(b, os.Getpid()) }, one.loop(b)),
			}

			for b.Loop() {
				l.Measure(b).Report(b, l, bound)
			}
		})
	}
}

// watching is a watch while it runs.
func watching(b *testing.B) paired.Way {
	b.Helper()

	return func() func() {
		w := New(options())
		require.NoError(b, w.Start(context.Background()))

		return func() { require.NoError(b, w.Close()) }
	}
}

// goLoop has a server accept connections in a goroutine of its own.
func goLoop(b *testing.B) (connect func()) {
	b.Helper()

	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(b, err)

	var server sync.WaitGroup

	server.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}

			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	})
	b.Cleanup(func() {
		require.NoError(b, l.Close())
		server.Wait()
	})

	return func() {
		conn, err := net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr))
		noError(b, err)
		// It ends by a reset, as otherwise it would keep its port for a minute.
		noError(b, conn.SetLinger(0))

		_, err = conn.Write([]byte{1})
		noError(b, err)

		_, _ = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
}

// threadLoop is both ends of a connection in one thread.
func threadLoop(b *testing.B) (connect func()) {
	b.Helper()

	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, unix.Close(listener)) })
	require.NoError(b, unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(b, unix.Listen(listener, 1))

	address, err := unix.Getsockname(listener)
	require.NoError(b, err)

	return func() {
		client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		noError(b, err)
		noError(b, unix.SetsockoptLinger(client, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
		noError(b, unix.Connect(client, address))

		accepted, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		noError(b, err)

		_, err = unix.Write(client, []byte{1})
		noError(b, err)

		_, err = unix.Read(accepted, make([]byte, 1))
		noError(b, err)
		noError(b, unix.Close(accepted))
		noError(b, unix.Close(client))
	}
}

// noError takes no time where there is none.
func noError(b *testing.B, err error) {
	if err != nil {
		require.NoError(b, err)
	}
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
		kernel := float64(inkernel.BytesHeldByT(b, os.Getpid())) / mebibyte

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

// BenchmarkSocketOnACrowdedPort opens and closes one where another process holds many, each in a place of its own.
func BenchmarkSocketOnACrowdedPort(b *testing.B) {
	for _, held := range []int{0, 20_000} {
		b.Run(fmt.Sprint(held), func(b *testing.B) {
			book := nginxHolds(80)

			for i := range held {
				socket := at(uint64(1000+i), 80)
				socket.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), 80)
				book.open(&opening{socket: socket, namespace: namespace, at: 5, by: by(2)})
			}

			socket := at(500_000, 80)
			socket.Address = netip.AddrPortFrom(netip.IPv4Unspecified(), 80)

			for b.Loop() {
				book.open(&opening{socket: socket, namespace: namespace, at: 6, by: by(3)})
				book.close(&closing{key: 500_000, at: 7})
				book.judge(time.Second)
			}
		})
	}
}
