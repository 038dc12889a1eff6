package badsite

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
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
		caught, err := robbed(s.address, s.port)
		require.NoError(t, err)
		return int(s.Requests())+caught == clients
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

func TestCatchesAreUnreadAndNobodys(t *testing.T) {
	ours, others := [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 2}
	done := message(unix.NLMSG_DONE, make([]byte, 4))
	for name, test := range map[string]struct {
		messages []byte
		want     int
		last     bool
	}{
		"one with unread bytes":   {connection(ours, 78, 0), 1, false},
		"one that sent nothing":   {connection(ours, 0, 0), 0, false},
		"one that was accepted":   {connection(ours, 78, 4711), 0, false},
		"one of another address":  {connection(others, 78, 0), 0, false},
		"two and the end of all":  {slices.Concat(connection(ours, 1, 0), connection(ours, 2, 0), done), 2, true},
		"nothing but the end":     {done, 0, true},
		"what comes after an end": {slices.Concat(done, connection(ours, 1, 0)), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			count, last, err := catches(test.messages, ours)
			require.NoError(t, err)
			require.Equal(t, test.want, count)
			require.Equal(t, test.last, last)
		})
	}
	_, _, err := catches(message(unix.NLMSG_ERROR, binary.NativeEndian.AppendUint32(nil, ^uint32(unix.ENOENT)+1)), ours)
	require.ErrorIs(t, err, unix.ENOENT)
	_, _, err = catches(message(unix.SOCK_DIAG_BY_FAMILY, make([]byte, 8)), ours)
	require.ErrorIs(t, err, unix.EBADMSG)
	_, _, err = catches(connection(ours, 1, 0)[:30], ours)
	require.ErrorIs(t, err, unix.EINVAL)
}

func message(kind uint16, data []byte) []byte {
	header := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(data)))
	header = binary.NativeEndian.AppendUint16(header, kind)
	return slices.Concat(header, make([]byte, unix.SizeofNlMsghdr-len(header)), data)
}

func connection(address [4]byte, unread, inode uint32) []byte {
	data := make([]byte, diagMessageSize)
	copy(data[diagFromOffset:], address[:])
	binary.NativeEndian.PutUint32(data[diagQueueOffset:], unread)
	binary.NativeEndian.PutUint32(data[diagInodeOffset:], inode)
	return message(unix.SOCK_DIAG_BY_FAMILY, data)
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
