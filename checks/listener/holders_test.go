package listener

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheHoldersOfASocket(t *testing.T) {
	r := NewReader("/proc", "/sys")
	fd, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})
	heir := start(t, childTask{}, nil, inherited(t, fd))

	s := snapshot(t, Query{Port: address.Port()})
	named, err := r.Name(limited(t), 0, s)
	require.NoError(t, err)
	require.Len(t, named.Groups, 1)
	require.ElementsMatch(t, []int{os.Getpid(), heir.pid()}, named.Groups[0].PIDs)
	require.Equal(t, named.Groups[0].PIDs, named.Groups[0].Sockets[0].PIDs)
	require.Len(t, named.Processes, 2)
	require.Positive(t, named.Search.Processes)
	require.Zero(t, named.Search.Unsearched)

	holders, err := r.Holders(limited(t), append(s, Socket{Inode: 1}))
	require.NoError(t, err)
	require.Len(t, holders, 1, "of a socket that is gone there is none")
	require.Equal(t, min(os.Getpid(), heir.pid()), holders[s[0].Inode].PID)

	heir.stop()

	named, err = r.Name(limited(t), 0, s)
	require.NoError(t, err)
	require.Equal(t, []int{os.Getpid()}, named.Groups[0].PIDs)
}

// inherited is a file that a child gets as its descriptor 4.
func inherited(t *testing.T, fd int) *os.File {
	t.Helper()

	copied, err := syscall.Dup(fd)
	require.NoError(t, err)

	file := os.NewFile(uintptr(copied), "socket")
	t.Cleanup(func() { _ = file.Close() })
	syscall.CloseOnExec(copied)

	return file
}

func TestASearchThatTakesTooLongSaysWhatIsMissing(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, search, err := NewReader("/proc", "/sys").findHolders(ctx, map[uint32]struct{}{1: {}})
	require.NoError(t, err)
	require.Zero(t, search.Processes)
	require.Positive(t, search.Unsearched)
	require.Regexp(t, `^\d+ processes were not searched: the host has too many open files for one search$`, search.Note)
}

func TestASearchWithoutProcIsAnError(t *testing.T) {
	t.Parallel()

	_, _, err := NewReader("/proc/no", "/sys").findHolders(t.Context(), map[uint32]struct{}{1: {}})
	require.ErrorContains(t, err, "cannot list the processes: ")
}

func TestNotesOfASearch(t *testing.T) {
	t.Parallel()

	s := Search{Processes: 3, Unreadable: 2}
	s.explain("/proc")
	require.Equal(t, "2 processes unreadable: run as root or through the helper", s.Note)

	s = Search{Processes: 3}
	s.explain("/proc")
	require.Empty(t, s.Note)

	s.explain(t.TempDir())
	require.Equal(t, "the processes of others are hidden (hidepid of proc(5)): run as root or through the helper", s.Note)
}

func TestLinksOfDescriptors(t *testing.T) {
	t.Parallel()

	for link, want := range map[string]uint32{
		"socket:[123]": 123, "socket:[4294967295]": 4294967295, "socket:[4294967296]": 0, "socket:[]": 0, "socket:[1": 0, "socket:[x]": 0,
		"pipe:[123]": 0, "": 0, "/tmp/socket:[1]": 0, "socket:[": 0, "socket:]": 0,
	} {
		inode, ok := parseSocketLink([]byte(link))
		require.Equal(t, want != 0, ok, link)

		if ok {
			require.Equal(t, want, inode, link)
		}
	}
}
