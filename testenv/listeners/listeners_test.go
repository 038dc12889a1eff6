package listeners_test

import (
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func TestMain(m *testing.M) {
	listeners.Run()
	os.Exit(m.Run())
}

func TestAProcessListensUntilItIsStopped(t *testing.T) {
	for name, s := range map[string]listeners.Socket{
		"IPv4":          {Address: "127.0.0.1:0"},
		"IPv6":          {Address: "[::1]:0"},
		"without bind":  {Address: "127.0.0.1:0", Unbound: true},
		"in a group":    {Address: "127.0.0.1:0", ReusePort: true},
		"through MPTCP": {Address: "127.0.0.1:0", Multipath: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{s}}, nil)
			address := net.JoinHostPort(p.Addresses[0].Addr().Unmap().String(), portOf(p))

			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			require.NoError(t, conn.Close())

			p.Stop()

			_, err = net.Dial("tcp", address)
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		})
	}
}

func portOf(p *listeners.Process) string {
	_, port, _ := net.SplitHostPort(p.Addresses[0].String())

	return port
}

func TestAProcessTakesDatagrams(t *testing.T) {
	p := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "127.0.0.1:0", UDP: true}}}, nil)

	conn, err := net.Dial("udp", p.Addresses[0].String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })

	for range 2 {
		_, err = conn.Write([]byte{1})
		require.NoError(t, err, "the second one would be refused")
	}
}

func TestTasksAreDoneBeforeStartReturns(t *testing.T) {
	began := time.Now()
	own := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}}
	p := listeners.Start(t, listeners.Task{
		Interfaces: true, Listeners: 20, Workers: 2, Life: 10 * time.Millisecond, Connections: 100, Ends: true,
	}, own)
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	require.NotZero(t, p.NamespaceID)

	var here unix.Stat_t
	require.NoError(t, unix.Stat("/proc/self/ns/net", &here))
	require.NotEqual(t, here.Ino, p.NamespaceID)
}
