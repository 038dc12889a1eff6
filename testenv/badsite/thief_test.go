package badsite

import (
	"context"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The incident: nginx served, a second listener joined its port for a moment, and visitors were reset.
func TestAThiefRobsAShareOfTheClientsUntilItExits(t *testing.T) {
	const clients = 64
	s := StartT(t, OK())
	thief, err := s.StartThief(Half)
	require.NoError(t, err)

	var lock sync.Mutex
	met := map[string]int{}
	var visitors sync.WaitGroup
	for range clients {
		visitors.Go(func() {
			how := meets(s)
			lock.Lock()
			met[how]++
			lock.Unlock()
		})
	}
	require.Eventually(t, func() bool {
		table, err := os.ReadFile("/proc/net/tcp")
		require.NoError(t, err)
		return int(s.Requests())+catches(string(table), s.address, s.port) == clients
	}, 3*time.Second, time.Millisecond)
	thief.Exit()
	visitors.Wait()
	fine, reset := seen["ok"][0], `answer: "nothing", reset`
	require.Equal(t, clients, met[fine]+met[reset], "%v", met)
	require.Positive(t, met[fine])
	require.Positive(t, met[reset])
	require.Equal(t, fine, meets(s))
}

func TestAThiefOfAllRobsEveryClientAndTheServerHasThemBackAfterwards(t *testing.T) {
	s := StartT(t, OK())
	thief, err := s.StartThief(All)
	require.NoError(t, err)
	var met string
	var visitor sync.WaitGroup
	visitor.Go(func() { met = meets(s) })
	require.NoError(t, thief.AwaitCatch(t.Context(), time.Second))
	require.Zero(t, s.Accepted())
	thief.Exit()
	visitor.Wait()
	require.Equal(t, `answer: "nothing", reset`, met)
	for range 8 {
		require.Equal(t, seen["ok"][0], meets(s))
	}
}

func TestAThiefThatCatchesNobodySaysSo(t *testing.T) {
	s := StartT(t, OK())
	thief, err := s.StartThief(All)
	require.NoError(t, err)
	defer thief.Exit()
	err = thief.AwaitCatch(t.Context(), 20*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualError(t, err, "cannot see a client that was robbed: context deadline exceeded; connect one to "+s.Addr())
}

func TestManyClientsInARowAreRobbedWithoutAGap(t *testing.T) {
	s := StartT(t, Stolen())
	for range 12 {
		require.Equal(t, `answer: "nothing", reset`, meets(s))
	}
	require.Zero(t, s.Accepted())
}

func TestCatchesAreEstablishedUnreadAndNobodys(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	line := func(local, state, queues, inode string) string {
		return "   0: " + local + " 0100007F:9C40 " + state + " " + queues + " 00:00000000 00000000     0        0 " + inode + " 1 0 20 4 0 10 -1\n"
	}
	for name, test := range map[string]struct {
		line string
		want int
	}{
		"one with unread bytes":    {line("0100007F:1F90", "01", "00000000:0000004E", "0"), 1},
		"one that sent nothing":    {line("0100007F:1F90", "01", "00000000:00000000", "0"), 0},
		"one that was accepted":    {line("0100007F:1F90", "01", "00000000:0000004E", "4711"), 0},
		"one of another port":      {line("0100007F:1F91", "01", "00000000:0000004E", "0"), 0},
		"one that is closing":      {line("0100007F:1F90", "08", "00000000:0000004E", "0"), 0},
		"a listener":               {line("0100007F:1F90", "0A", "00000000:00000001", "4711"), 0},
		"a line that is cut short": {"   0: 0100007F:1F90 0100007F:9C40 01\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, catches(head+test.line, [4]byte{127, 0, 0, 1}, 8080))
		})
	}
}

// What tells a half-open connection from a slow server is that nothing is ever acknowledged.
func TestNothingIsAcknowledgedOnAHalfOpenConnection(t *testing.T) {
	slow, halfOpen := StartT(t, SilentAfterRequest()), StartT(t, HalfOpen())
	require.Eventually(t, acknowledges(t, slow), time.Second, time.Millisecond)
	if !mayFilter(t) {
		require.Eventually(t, acknowledges(t, halfOpen), time.Second, time.Millisecond)
		return
	}
	require.Never(t, acknowledges(t, halfOpen), 100*time.Millisecond, 10*time.Millisecond)
}

// acknowledges sends a request and returns what tells whether the server's kernel has acknowledged it all.
func acknowledges(t *testing.T, s *Server) func() bool {
	conn, err := net.Dial("tcp4", s.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"))
	require.NoError(t, err)
	tcp, ok := conn.(*net.TCPConn)
	require.True(t, ok)
	raw, err := tcp.SyscallConn()
	require.NoError(t, err)
	return func() bool {
		var info *unix.TCPInfo
		err := onDescriptor(raw, func(fd int) (err error) {
			info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			return err
		})
		return err == nil && info.Unacked == 0
	}
}

// mayFilter tells whether the kernel lets this user filter TCP.
func mayFilter(t *testing.T) bool {
	listener, err := listen("127.0.0.1:0", filterOf(mute))
	if err != nil {
		require.ErrorIs(t, err, unix.EPERM)
		return false
	}
	return listener.Close() == nil
}
