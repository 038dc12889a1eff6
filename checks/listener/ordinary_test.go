package listener

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatAnOrdinaryUserMayNotKnowIsSaid has an ordinary user look at an nginx of root's, or else anybody at init.
func TestWhatAnOrdinaryUserMayNotKnowIsSaid(t *testing.T) {
	_, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})
	open(t, listenTask{Network: TCP, Address: withPort("127.0.0.2", address.Port())})

	got := start(t, childTask{
		Report: &Options{Port: address.Port(), Masters: []Master{{PID: 1}}, Processes: true},
	}, asNobody()).result.Report

	require.Equal(t, 2, got.TCPListeners)
	require.Empty(t, got.Namespaces[0].Notes, "the sockets themselves are no secret")
	require.False(t, got.ForeignersKnown)
	require.Len(t, got.Masters, 1)
	require.Equal(t, "cannot read the descriptors of process 1: permission denied; run this as root or through the helper", got.Masters[0].Error)
	require.Positive(t, got.Search.Unreadable)
	require.Equal(t, fmt.Sprintf("%d processes unreadable: run as root or through the helper", got.Search.Unreadable), got.Search.Note)

	if os.Geteuid() == 0 {
		require.Empty(t, got.Processes)
		require.Nil(t, got.Groups[0].PIDs)
		require.Nil(t, got.Groups[0].ReusePort)
	}
}

// TestAnOrdinaryUserReadsTheTablesOfANamespaceThatItMayNotEnter uses that /proc/PID/net is open to all.
func TestAnOrdinaryUserReadsTheTablesOfANamespaceThatItMayNotEnter(t *testing.T) {
	inside, possible := startElsewhere(t, childTask{LoopbackUp: true, Listen: oneListener}, elsewhere())
	if !possible {
		return
	}

	got := start(t, childTask{Report: &Options{Port: inside.result.Addresses[0].Port(), Masters: []Master{{PID: inside.pid()}}}}, asNobody()).result.Report
	require.Len(t, got.Namespaces, 2)
	require.Equal(t, 1, got.Namespaces[1].TCPListeners)
	require.Len(t, got.Namespaces[1].Notes, 3, "TCP, UDP and tcp_migrate_req")
	require.Nil(t, got.Namespaces[1].TCPMigrateReq)
	require.NotNil(t, got.Namespaces[1].Counters.ListenDrops)
	require.Equal(t, inside.result.Addresses[0], got.Groups[0].Address)
	require.Nil(t, got.Groups[0].Sockets[0].Backlog)
}

// asNobody makes an ordinary user of a child of root's.
func asNobody() *syscall.SysProcAttr {
	if os.Geteuid() != 0 {
		return nil
	}

	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
