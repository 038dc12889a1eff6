package listener

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func parsed(t *testing.T, texts ...string) (c Counters) {
	t.Helper()

	for _, text := range texts {
		require.NoError(t, c.parse(strings.NewReader(text)))
	}

	return c
}

func TestTheCountersOfLinux618(t *testing.T) {
	t.Parallel()

	netstat, err := os.ReadFile("testdata/6.18/netstat")
	require.NoError(t, err)

	snmp, err := os.ReadFile("testdata/6.18/snmp")
	require.NoError(t, err)

	zero := new(uint64)
	require.Equal(t, Counters{
		ListenOverflows: new(uint64(34)), ListenDrops: new(uint64(34)), RequestQueueFullCookies: zero, RequestQueueFullDrops: zero,
		SyncookiesSent: zero, EmbryonicResets: zero, AbortsOnData: new(uint64(337539)), AbortsOnClose: new(uint64(266)),
		AbortsOnMemory: zero, AbortsOnTimeout: zero, AbortsOnLinger: zero, AbortsFailed: zero, BacklogDrops: zero,
		MigratedRequests: zero, FailedMigrations: zero, ConnectFailures: new(uint64(358491)),
		EstablishedResets: new(uint64(676367)), ResetsSent: new(uint64(696994)), UDPNoPort: new(uint64(64)), UDPReceiveBufferFull: zero,
	}, parsed(t, string(netstat), string(snmp)))
}

func TestOddCounters(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		text string
		want Counters
	}{
		"a kernel that knows fewer":  {text: "TcpExt: ListenDrops\nTcpExt: 3\n", want: Counters{ListenDrops: new(uint64(3))}},
		"a name of another protocol": {text: "IpExt: ListenDrops\nIpExt: 3\n"},
		"values that are missing":    {text: "TcpExt: ListenOverflows ListenDrops\nTcpExt: 3\n", want: Counters{ListenOverflows: new(uint64(3))}},
		"names without values":       {text: "TcpExt: ListenDrops\n"},
		"names of another line":      {text: "TcpExt: ListenDrops\nUdp: NoPorts\nUdp: 4\n", want: Counters{UDPNoPort: new(uint64(4))}},
		"a value below zero":         {text: "Tcp: OutRsts EstabResets\nTcp: -1 5\n", want: Counters{EstablishedResets: new(uint64(5))}},
		"a line without a colon":     {text: "Tcp: OutRsts\nnonsense\nTcp: 5\n"},
		"nothing":                    {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, c.want, parsed(t, c.text))
		})
	}
}

func TestCountersThatCannotBeReadAreAnError(t *testing.T) {
	t.Parallel()

	var c Counters
	require.ErrorContains(t, c.parse(iotest.ErrReader(errors.New("no more"))), "no more")
	require.Error(t, c.parse(bytes.NewReader(make([]byte, longestLine+1))))

	_, err := NewReader(t.TempDir(), "").Counters(7)
	require.ErrorContains(t, err, "/7/net/netstat: no such file or directory; mount proc there")
	require.ErrorIs(t, err, unix.ENOENT)
}

func TestTheGrowthOfCounters(t *testing.T) {
	t.Parallel()

	before := Counters{ListenDrops: new(uint64(3)), ResetsSent: new(uint64(9)), UDPNoPort: new(uint64(1))}
	after := Counters{ListenDrops: new(uint64(10)), ResetsSent: new(uint64(8)), ListenOverflows: new(uint64(1)), UDPNoPort: new(uint64(1))}
	require.Equal(t, Counters{ListenDrops: new(uint64(7)), UDPNoPort: new(uint64(0))}, after.Since(before))
}

// TestTheRunningKernelCountsTheResetsOfAListenerThatGoes does what a test of nginx 1.13.0 with reuseport did to clients.
func TestTheRunningKernelCountsTheResetsOfAListenerThatGoes(t *testing.T) {
	r := NewReader("/proc", "/sys")
	fd, address, err := (&listenTask{Network: TCP, Address: "127.0.0.1:0"}).open()
	require.NoError(t, err)

	for range 3 {
		conn, err := net.Dial("tcp", address.String())
		require.NoError(t, err)

		defer conn.Close()
	}

	before, err := r.Counters(os.Getppid())
	require.NoError(t, err)
	require.NoError(t, unix.Close(fd))

	require.Eventually(t, func() bool {
		after, err := r.Counters(0)
		require.NoError(t, err)

		return *after.Since(before).ResetsSent >= 3
	}, 10*time.Second, 10*time.Millisecond)
}

func FuzzCounters(f *testing.F) {
	for _, name := range []string{"netstat", "snmp"} {
		data, err := os.ReadFile("testdata/6.18/" + name)
		require.NoError(f, err)
		f.Add(data)
	}

	f.Fuzz(func(_ *testing.T, data []byte) {
		var c Counters

		_ = c.parse(bytes.NewReader(data))
		_ = c.Since(c)
	})
}
