package listener

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestTheSocketsThatCameAndWent(t *testing.T) {
	r := NewReader("/proc", "/sys")
	stays, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0", ReusePort: true})
	query := Query{Port: address.Port(), Network: TCP}
	again := listenTask{Network: TCP, Address: address.String(), ReusePort: true}

	goes, _, err := again.open()
	require.NoError(t, err)

	before, err := r.Snapshot(limited(t), query)
	require.NoError(t, err)
	require.NoError(t, unix.Close(goes))

	comes, _ := open(t, again)

	after, err := r.Snapshot(limited(t), query)
	require.NoError(t, err)

	for name, cookies := range map[string]bool{"by cookie": true, "by inode": false} {
		t.Run(name, func(t *testing.T) {
			if !cookies {
				// As a snapshot through /proc/net would be.
				after.Sockets[0].Cookie = 0
			}

			changes := Diff(before, after)
			require.False(t, changes.Incomplete)
			require.Len(t, changes.Appeared, 1)
			require.Equal(t, inodeOf(t, comes), changes.Appeared[0].Inode)
			require.Len(t, changes.Vanished, 1)
			require.NotEqual(t, inodeOf(t, stays), changes.Vanished[0].Inode)
			require.Equal(t, Changes{}, Diff(after, after))
		})
	}
}

func TestADifferenceOfTooManySocketsIsIncomplete(t *testing.T) {
	t.Parallel()

	require.True(t, Diff(&Snapshot{}, &Snapshot{Omitted: 1}).Incomplete)
}
