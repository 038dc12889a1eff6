package listener

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// double stands in for the kernel: it answers each request with the next datagrams.
func double(t *testing.T, answers ...[][]byte) *inquiry {
	t.Helper()

	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)

	ended := make(chan struct{})

	go func() {
		defer close(ended)

		for _, datagrams := range answers {
			if _, err := unix.Read(fds[1], make([]byte, requestSize)); err != nil {
				return
			}

			for _, d := range datagrams {
				_, _ = unix.Write(fds[1], d)
			}
		}
	}()

	q := &inquiry{fd: fds[0]}

	t.Cleanup(func() {
		q.close()
		<-ended
		_ = unix.Close(fds[1])
	})

	return q
}

func listening(sequence uint32) []byte {
	return message(tcpDiagGetSock, 0, sequence, append([]byte{unix.AF_INET, stateListen}, make([]byte, answerSize-2)...)...)
}

func end(sequence uint32, flags uint16) []byte {
	return message(unix.NLMSG_DONE, flags, sequence, 0, 0, 0, 0)
}

func TestAListThatWasInterruptedIsAskedForAgain(t *testing.T) {
	t.Parallel()

	q := double(t,
		[][]byte{listening(1), listening(1), end(1, unix.NLM_F_DUMP_INTR)},
		[][]byte{end(1, 0), listening(2), end(2, 0)})

	all := collection{sockets: make([]Socket, 5)}
	require.NoError(t, q.list(limited(t), TCP, 0, &all))
	require.Len(t, all.sockets, 6, "what the first answer held is not kept")
}

func TestAListThatIsInterruptedEachTimeIsAnError(t *testing.T) {
	t.Parallel()

	q := double(t,
		[][]byte{listening(1), end(1, unix.NLM_F_DUMP_INTR)},
		[][]byte{listening(2), end(2, unix.NLM_F_DUMP_INTR)},
		[][]byte{listening(3), end(3, unix.NLM_F_DUMP_INTR)})

	var all collection
	require.Equal(t, errInterrupted, q.list(limited(t), TCP, 0, &all))
	require.Empty(t, all.sockets)
}

func TestAnAnswerThatIsTooLongIsAnError(t *testing.T) {
	t.Parallel()

	q := double(t, [][]byte{make([]byte, datagramSize+4)})

	var all collection
	require.EqualError(t, q.list(limited(t), TCP, 0, &all), "cannot read the answer of sock_diag: it has 32772 bytes, more than 32768")
}

func TestAKernelThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()

	q, err := openInquiry(ctx)
	require.NoError(t, err)

	defer q.close()

	silent := message(unix.NLMSG_NOOP, unix.NLM_F_REQUEST, 1)
	_, err = q.ask(context.Background(), silent, &answer{sequence: 1})
	require.ErrorIs(t, err, unix.EAGAIN)

	<-ctx.Done()

	_, err = NewReader("/proc", "/sys").Snapshot(ctx, Query{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestSocketsBeyondTheLimitAreCounted(t *testing.T) {
	t.Parallel()

	all := collection{sockets: make([]Socket, maxSockets)}
	all.add(&Socket{})
	all.add(&Socket{})
	require.Len(t, all.sockets, maxSockets)
	require.Equal(t, 2, all.omitted)
}
