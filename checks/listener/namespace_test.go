package listener

import (
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// elsewhere are the flags and mappings by which this user may start a process in a network namespace of its own.
func elsewhere() *syscall.SysProcAttr {
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	}

	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
}

// startElsewhere starts a child in a network namespace of its own. It is false where the host keeps this from ordinary users.
func startElsewhere(t *testing.T, task childTask, sys *syscall.SysProcAttr) (c *child, possible bool) {
	t.Helper()

	c, err := startChild(task, sys)
	if err != nil && os.Geteuid() != 0 {
		require.Regexp(t, "not permitted|permission denied", err.Error())

		return nil, false
	}

	require.NoError(t, err)
	t.Cleanup(c.stop)

	return c, true
}

var oneListener = []listenTask{{Network: TCP, Address: "127.0.0.1:0"}, {Network: UDP, Address: "127.0.0.1:0"}}

// TestASnapshotOfAnotherNetworkNamespace is through sock_diag for root, and through the tables of the process for others,
// who may not enter even a namespace that they made: a Go program has threads, and such do not change their user namespace.
func TestASnapshotOfAnotherNetworkNamespace(t *testing.T) {
	c, possible := startElsewhere(t, childTask{LoopbackUp: true, Listen: oneListener}, elsewhere())
	if !possible {
		return
	}

	s, err := NewReader("/proc", "/sys").Snapshot(limited(t), Query{PID: c.pid()})
	require.NoError(t, err)
	require.Len(t, s.Sockets, 2)
	require.Equal(t, TCP, s.Sockets[0].Network)
	require.Equal(t, c.result.Addresses[0], s.Sockets[0].Address)
	require.Equal(t, c.result.Addresses[1], s.Sockets[1].Address)

	if os.Geteuid() == 0 {
		require.Empty(t, s.Notes)
		require.NotZero(t, s.Sockets[0].Cookie)
	} else {
		require.Len(t, s.Notes, 2)
		require.Contains(t, s.Notes[0], "cannot enter the network namespace")
	}
}

// TestASnapshotInAUserNamespace has an ordinary user be root in a user namespace of its own, as in a rootless container.
func TestASnapshotInAUserNamespace(t *testing.T) {
	sys := elsewhere()
	sys.Cloneflags = unix.CLONE_NEWUSER
	sys.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
	sys.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}

	c, possible := startElsewhere(t, childTask{
		Child: &childTask{LoopbackUp: true, Listen: oneListener}, ChildFlags: unix.CLONE_NEWNET, Snapshot: &Query{Network: TCP},
	}, sys)
	if !possible {
		return
	}

	require.Empty(t, c.result.Snapshot.Notes)
	require.Len(t, c.result.Snapshot.Sockets, 1)
	require.Equal(t, c.result.Child.Addresses[0], c.result.Snapshot.Sockets[0].Address)
}

func TestNetworkNamespacesAreToldApart(t *testing.T) {
	t.Parallel()

	r := NewReader("/proc", "/sys")
	c, possible := startElsewhere(t, childTask{}, elsewhere())
	if !possible {
		return
	}

	own, err := r.namespaceKey(0)
	require.NoError(t, err)

	parent, err := r.namespaceKey(os.Getppid())
	require.NoError(t, err)
	require.Equal(t, own, parent)

	other, err := r.namespaceKey(c.pid())
	require.NoError(t, err)
	require.NotEqual(t, own, other)

	require.NotZero(t, r.namespaceID(0))
	require.NotEqual(t, r.namespaceID(0), r.namespaceID(c.pid()))
}

func TestAProcessThatHasEndedHasNoNetworkNamespace(t *testing.T) {
	t.Parallel()

	c := start(t, childTask{}, nil)
	c.stop()

	r := NewReader("/proc", "/sys")
	_, err := r.Snapshot(limited(t), Query{PID: c.pid()})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "it may have ended")

	_, err = r.TCPMigrateReq(c.pid())
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestTCPMigrateReq(t *testing.T) {
	t.Parallel()

	r := NewReader("/proc", "/sys")
	value, err := r.TCPMigrateReq(0)
	require.NoError(t, err)

	_, statErr := os.Stat("/proc/sys/net/ipv4/tcp_migrate_req")
	require.Equal(t, statErr == nil, value != nil)

	none, err := NewReader(t.TempDir(), "").TCPMigrateReq(0)
	require.NoError(t, err)
	require.Nil(t, none)
}
