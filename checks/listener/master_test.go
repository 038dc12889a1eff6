package listener

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestAMasterThatHasEndedHasNoSockets(t *testing.T) {
	gone := start(t, childTask{}, nil)
	gone.stop()
	require.Equal(t, []MasterState{{
		PID: gone.pid(), Error: fmt.Sprintf("cannot read process %d: no such file or directory; it may have ended", gone.pid()),
	}}, foreigners(t, 1, Master{PID: gone.pid()}).Masters)
}

func TestAnotherProcessWithTheNumberOfAMasterIsNotTakenForIt(t *testing.T) {
	p, err := readStat("/proc", os.Getpid())
	require.NoError(t, err)
	require.Empty(t, foreigners(t, 1, Master{PID: p.PID, StartTicks: p.StartTicks}).Masters[0].Error)
	require.Equal(t, fmt.Sprintf("cannot read process %d: it has ended, and another has its number", p.PID),
		foreigners(t, 1, Master{PID: p.PID, StartTicks: p.StartTicks - 1}).Masters[0].Error)
}

// TestWhatIsRememberedOfAMasterIsCheckedEachTime has this process be the master.
func TestWhatIsRememberedOfAMasterIsCheckedEachTime(t *testing.T) {
	r := NewReader("/proc", "/sys")
	master := Master{PID: os.Getpid()}
	held := func(listed ...uint32) map[uint32]struct{} {
		wanted := make(map[uint32]struct{})
		for _, inode := range listed {
			wanted[inode] = struct{}{}
		}

		found, err := r.heldBy(master, wanted)
		require.NoError(t, err)

		return found
	}

	const foreign = 1

	a := listenTask{Network: TCP, Address: "127.0.0.1:0"}
	first, _ := open(t, a)
	firstInode := inodeOf(t, first)
	require.Equal(t, map[uint32]struct{}{firstInode: {}}, held(firstInode, foreign))

	known := r.masters.known[master.PID]
	require.Equal(t, map[uint32]struct{}{firstInode: {}}, held(firstInode, foreign))
	require.Same(t, known, r.masters.known[master.PID], "not all descriptors were looked at again")

	second, _ := open(t, a)
	secondInode := inodeOf(t, second)
	require.Equal(t, map[uint32]struct{}{firstInode: {}, secondInode: {}}, held(firstInode, secondInode), "a socket is new")

	// The descriptor of the second becomes the first's.
	require.NoError(t, unix.Dup3(first, second, unix.O_CLOEXEC))
	require.Equal(t, map[uint32]struct{}{firstInode: {}}, held(firstInode, secondInode), "a socket was closed")
}

func TestNotAllMastersThereEverWereAreRemembered(t *testing.T) {
	t.Parallel()

	var m masterSockets
	for pid := range maxMasters + 1 {
		m.remember(pid, &knownMaster{})
	}

	require.Len(t, m.known, 1)
}
