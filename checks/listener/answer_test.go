package listener

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// message is a netlink message.
func message(kind, flags uint16, sequence uint32, body ...byte) []byte {
	m := header(make([]byte, unix.NLMSG_HDRLEN), kind, sequence)
	binary.NativeEndian.PutUint16(m[6:], flags)
	m = append(m, body...)
	binary.NativeEndian.PutUint32(m, uint32(len(m)))

	return append(m, make([]byte, aligned(len(m))-len(m))...)
}

func TestAnswersOfTheKernel(t *testing.T) {
	t.Parallel()

	listening := append([]byte{unix.AF_INET, stateListen, 0, 0, 0, 80}, make([]byte, answerSize-6)...)
	done := message(unix.NLMSG_DONE, unix.NLM_F_MULTI, 5, 0, 0, 0, 0)

	cases := map[string]struct {
		datagram    []byte
		done        bool
		interrupted bool
		err         string
		sockets     int
	}{
		"the last message":                {datagram: done, done: true},
		"a socket and the last message":   {datagram: append(message(unix.SOCK_DIAG_BY_FAMILY, 0, 5, listening...), done...), done: true, sockets: 1},
		"a socket in another state":       {datagram: message(unix.SOCK_DIAG_BY_FAMILY, 0, 5, append([]byte{2, 1}, listening[2:]...)...)},
		"a socket of another family":      {datagram: message(unix.SOCK_DIAG_BY_FAMILY, 0, 5, append([]byte{1}, listening[1:]...)...)},
		"an answer to another request":    {datagram: message(unix.SOCK_DIAG_BY_FAMILY, 0, 4, listening...)},
		"a message that means nothing":    {datagram: message(unix.NLMSG_NOOP, 0, 5)},
		"a list that was interrupted":     {datagram: message(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, 5, 0, 0, 0, 0), done: true, interrupted: true},
		"a kernel without inet_diag":      {datagram: message(unix.NLMSG_ERROR, 0, 5, 0xfe, 0xff, 0xff, 0xff), done: true, err: "cannot list the sockets: no such file or directory"},
		"an error at the end":             {datagram: message(unix.NLMSG_DONE, 0, 5, 0xf4, 0xff, 0xff, 0xff), done: true, err: "cannot list the sockets: cannot allocate memory"},
		"an error without a number":       {datagram: message(unix.NLMSG_ERROR, 0, 5), done: true, err: errMalformed.Error()},
		"a socket that is too short":      {datagram: message(unix.SOCK_DIAG_BY_FAMILY, 0, 5, listening[:70]...), err: errMalformed.Error()},
		"a header that is cut":            {datagram: done[:15], err: errMalformed.Error()},
		"a message that is cut":           {datagram: done[:18], err: errMalformed.Error()},
		"a length less than the header's": {datagram: append([]byte{15, 0, 0, 0}, done[4:]...), err: errMalformed.Error()},
		"an attribute that is cut": {
			datagram: message(unix.SOCK_DIAG_BY_FAMILY, 0, 5, append(listening, 9, 0, attributeV6, 0, 1, 0, 0, 0)...), err: errMalformed.Error(),
		},
		"an attribute of another length": {
			datagram: message(unix.SOCK_DIAG_BY_FAMILY, 0, 5, append(listening, 8, 0, attributeGroup, 0, 1, 0, 0, 0)...), sockets: 1,
		},
	}

	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var all collection

			a := answer{sequence: 5, network: TCP, sockets: &all}
			done, err := a.parse(c.datagram)
			require.Equal(t, c.done, done)
			require.Equal(t, c.interrupted, a.interrupted)
			require.Len(t, all.sockets, c.sockets)

			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.err)
			}
		})
	}
}

// TestAnAnswerOfLinux618 reads what the kernel sent for a SO_REUSEPORT group, a listener on [::] and one on ::1.
func TestAnAnswerOfLinux618(t *testing.T) {
	t.Parallel()

	data, err := os.ReadFile("testdata/6.18/tcp.netlink")
	require.NoError(t, err)

	var all collection

	done, err := (&answer{sequence: 1, network: TCP, sockets: &all}).parse(data)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, wantOfLinux618(), all.sockets)
}

func FuzzAnswer(f *testing.F) {
	data, err := os.ReadFile("testdata/6.18/tcp.netlink")
	require.NoError(f, err)

	f.Add(data)
	f.Add(message(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, 1, 0, 0, 0, 0))
	f.Add(message(unix.NLMSG_ERROR, 0, 1, 0xfe, 0xff, 0xff, 0xff))

	f.Fuzz(func(t *testing.T, datagram []byte) {
		var all collection

		_, _ = (&answer{sequence: 1, network: TCP, sockets: &all}).parse(datagram)
		require.LessOrEqual(t, len(all.sockets), len(datagram)/(unix.NLMSG_HDRLEN+answerSize))

		for i := range all.sockets {
			require.True(t, all.sockets[i].Address.IsValid())
			require.Equal(t, TCP, all.sockets[i].Network)
		}
	})
}
