package listener

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// startAsHelper starts a child in the place of the root helper.
func startAsHelper(t *testing.T, task childTask) (c *child) {
	t.Helper()

	require.NoError(t, apart.AsHelper(func() (err error) {
		c, err = startChild(task, nil)

		return err
	}))
	t.Cleanup(c.stop)

	return c
}

// TestTheHelperSeesWhatWholeRootSees has an nginx share its address with a stranger, and its port with an ordinary user.
func TestTheHelperSeesWhatWholeRootSees(t *testing.T) {
	if os.Geteuid() != 0 {
		require.ErrorContains(t, apart.AsHelper(func() error { return nil }), "run the test as root")

		return
	}

	shared := listenTask{Network: TCP, Address: "127.0.0.1:0", ReusePort: true}
	master := start(t, childTask{Listen: []listenTask{shared}}, nil)
	shared.Address = master.result.Addresses[0].String()
	stranger := start(t, childTask{Listen: []listenTask{shared}}, nil)
	port := master.result.Addresses[0].Port()
	ordinary := start(t, childTask{Listen: []listenTask{{Network: TCP, Address: withPort("127.0.0.2", port)}}}, asNobody())

	task := childTask{Report: &Options{Port: port, Masters: []Master{{PID: master.pid()}}, Processes: true}}
	helpers, roots := startAsHelper(t, task).result.Report, start(t, task, nil).result.Report

	require.True(t, helpers.ForeignersKnown)
	require.Len(t, helpers.Foreigners, 1)
	require.Equal(t, stranger.pid(), helpers.Foreigners[0].Processes[0].PID)
	require.Contains(t, pids(helpers.Processes), ordinary.pid())
	require.Zero(t, helpers.Search.Unreadable)
	require.Empty(t, helpers.Search.Note)
	require.Empty(t, helpers.Namespaces[0].Notes)

	// How many processes there are changes from one moment to the next, and so do the counters.
	for _, r := range []*Report{helpers, roots} {
		r.Search.Processes = 0
		r.Namespaces[0].Counters = Counters{}
	}

	require.Equal(t, roots, helpers)
}

func pids(processes []Process) (all []int) {
	for _, p := range processes {
		all = append(all, p.PID)
	}

	return all
}

// TestTheHelperReadsTheTablesOfANetworkThatItMayNotEnter is as with an ordinary user, but for the processes.
func TestTheHelperReadsTheTablesOfANetworkThatItMayNotEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		require.ErrorContains(t, apart.AsHelper(func() error { return nil }), "run the test as root")

		return
	}

	inside, _ := startElsewhere(t, childTask{LoopbackUp: true, Listen: oneListener}, elsewhere())
	port := inside.result.Addresses[0].Port()
	got := startAsHelper(t, childTask{Report: &Options{Port: port, Masters: []Master{{PID: inside.pid()}}, Processes: true}}).result.Report

	require.Len(t, got.Namespaces, 2)
	require.Equal(t, 1, got.Namespaces[1].TCPListeners)
	require.Contains(t, got.Namespaces[1].Notes[0], "cannot enter the network namespace of process")
	require.Equal(t, inside.result.Addresses[0], got.Groups[0].Address)
	require.Equal(t, []int{inside.pid()}, got.Groups[0].PIDs)
	require.True(t, got.ForeignersKnown)
	require.Empty(t, got.Foreigners)
}
