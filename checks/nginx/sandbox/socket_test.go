package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec" //nolint:depguard // what a sandboxed test must not do is shown with an ordinary one.
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

// freePorts are some that nobody listens on, neither by TCP nor by UDP, and that no connection of this host starts from (ip_local_port_range).
func freePorts(t *testing.T, count int) (ports []int) {
	t.Helper()
	const first, last = 20_000, 30_000
	for len(ports) < count {
		port := first + rand.IntN(last-first)
		tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		defer func() { require.NoError(t, tcp.Close()) }()
		udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err == nil {
			require.NoError(t, udp.Close())
			ports = append(ports, port)
		}
	}
	return ports
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func TestNobodyMeetsTheSocketsOfATest(t *testing.T) {
	const tests = 50
	if !isInside() {
		// Other programs of this host may take any port.
		circumstance{name: "here"}.again(t, "TestNobodyMeetsTheSocketsOfATest")
		return
	}
	both(t, func(t *testing.T, technique Technique) {
		ports := freePorts(t, 3)
		dialed, listened, datagrams := local(ports[0]), local(ports[1]), local(ports[2])
		p := newPrefix(t)
		p.configure(t, stream(t, "{stream}stream { server { listen "+datagrams+" udp; return x; } }"), listens(dialed, listened))
		// In a process of its own: whatever this one starts holds this one's sockets until it runs its program.
		fake := fakeCommand("visit")
		visitor := exec.Command(fake.Binary, "-g", strings.Join([]string{dialed, listened, datagrams}, " "))
		visitor.Env = fake.Environment
		until, err := visitor.StdinPipe()
		require.NoError(t, err)
		var said bytes.Buffer
		visitor.Stdout = &said
		exited, err := child.Start(visitor)
		require.NoError(t, err)
		for range tests {
			result := p.test(t, technique)
			require.Zero(t, result.ExitCode)
			require.Len(t, result.Binds, 3)
		}
		require.NoError(t, until.Close())
		<-exited
		var meetings, tries int
		_, err = fmt.Sscan(said.String(), &meetings, &tries)
		require.NoError(t, err)
		require.Zero(t, meetings, "of %d", tries)
		require.Greater(t, tries, tests)
	})
}

// visit connects to the first address, and takes the second and third, all the time until its input ends, and tells how often it met somebody.
func visit(dialed, listened, datagrams string) {
	var over atomic.Bool
	var meetings, tries atomic.Int64
	var visitors sync.WaitGroup
	for _, meets := range []func() bool{
		func() bool { return !refuses(dialed) },
		func() bool {
			listener, err := net.Listen("tcp4", listened)
			return err != nil || listener.Close() != nil
		},
		func() bool {
			listener, err := net.ListenPacket("udp4", datagrams)
			return err != nil || listener.Close() != nil
		},
	} {
		visitors.Go(func() {
			for !over.Load() {
				tries.Add(1)
				if meets() {
					meetings.Add(1)
				}
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	over.Store(true)
	visitors.Wait()
	fmt.Println(meetings.Load(), tries.Load())
}

func refuses(address string) bool {
	conn, err := net.Dial("tcp4", address)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, unix.ECONNREFUSED)
}

// An ordinary test listens, here for as long as nobody reads what it prints.
func TestAnOrdinaryTestListens(t *testing.T) {
	address := local(freePorts(t, 1)[0])
	p := newPrefix(t)
	p.configure(t, "", strings.Repeat("# not read\n", 100<<10)+listens(address))
	require.True(t, refuses(address))
	ordinary := exec.Command(p.binary, append(p.arguments(), "-T")...)
	_, err := ordinary.StdoutPipe()
	require.NoError(t, err)
	exited, err := child.Start(ordinary)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !refuses(address) }, waitLimit, waitPause)
	require.NoError(t, ordinary.Process.Kill())
	<-exited
	require.Eventually(t, func() bool { return refuses(address) }, waitLimit, waitPause)
}

func TestATestHasAsManyDescriptorsAsTheService(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, "", hosts(200))
		for limit, says := range map[uint64]string{100: "failed (24: Too many open files)", 400: good} {
			command := p.command()
			command.NoFile = limit
			result, err := only(technique).Test(t.Context(), command)
			require.NoError(t, err)
			require.Contains(t, string(result.Output), says)
			require.Equal(t, limit, result.NoFile)
		}
		require.NoFileExists(t, p.path("h0.log"))
	})
}

func TestNginxIsTestedWhileItRuns(t *testing.T) {
	const tests = 20
	both(t, func(t *testing.T, technique Technique) {
		address := local(freePorts(t, 1)[0])
		p := newPrefix(t)
		p.configure(t, "daemon off;", "server { listen "+address+" reuseport; return 200 answer; }")
		running := exec.Command(p.binary, p.arguments()...)
		exited, err := child.Start(running)
		require.NoError(t, err)
		t.Cleanup(func() {
			require.NoError(t, running.Process.Signal(unix.SIGTERM))
			<-exited
		})
		require.Eventually(t, func() bool { return !refuses(address) }, waitLimit, waitPause)
		time.Sleep(10 * time.Millisecond)
		for range tests {
			result, err := only(technique).Test(t.Context(), p.command())
			require.NoError(t, err)
			require.Contains(t, string(result.Output), good)
			require.False(t, refuses(address))
		}
	})
}
