package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/again"
	"zabbix-agent2-plugin-hosting/testenv/fentry"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// printVariable makes this program a watch over the nginx of that number that prints what it has seen, for each line that
// it reads.
const printVariable = "WATCH_TEST_PRINT"

func printEvents() {
	var masters []int

	// There is no process 0.
	if pid, err := strconv.Atoi(os.Getenv(printVariable)); err == nil && pid != 0 {
		masters = append(masters, pid)
	}

	w := New(options(masters...))
	if err := w.Start(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_ = json.NewEncoder(os.Stdout).Encode(w.Snapshot())
	}

	os.Exit(0)
}

// watchOf is a watch over an nginx, 0 for none, in a process of another user, which asks it again and again.
func watchOf(t *testing.T, master int, sys *syscall.SysProcAttr) (ask func() *Events) {
	t.Helper()

	p, err := again.Start(fmt.Sprintf("%s=%d", printVariable, master), sys)
	require.NoError(t, err)
	t.Cleanup(p.Stop)

	return func() *Events {
		_, err := fmt.Fprintln(p.Input)
		require.NoError(t, err)

		line, err := p.Output.ReadBytes('\n')
		require.NoError(t, err)

		var got Events
		require.NoError(t, json.Unmarshal(line, &got), "%s", line)

		return &got
	}
}

// nobody is an ordinary user, with some rights.
func nobody(rights ...uintptr) *syscall.SysProcAttr {
	const id = 65534

	if os.Geteuid() != 0 {
		return nil
	}

	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}, AmbientCaps: rights}
}

// seen waits for the event of an address.
func seen(t *testing.T, ask func() *Events, o *listeners.Process) (e Event) {
	t.Helper()

	require.Eventually(t, func() bool {
		for _, e = range ask().Events {
			if e.Address == o.Addresses[0] {
				return true
			}
		}

		return false
	}, patience, 10*time.Millisecond)

	return e
}

var oneSocket = []listeners.Socket{{Address: "127.0.0.1:0"}}

func TestAnOrdinaryUserPollsAndIsToldWhy(t *testing.T) {
	ask := watchOf(t, 0, nobody())
	got := ask()
	require.Equal(t, "cannot watch sockets in the kernel: operation not permitted without CAP_BPF and CAP_PERFMON; use the root helper",
		got.TCP.Reason)
	require.Equal(t, StatePolling, got.TCP.State)
	require.Equal(t, "polling", got.TCP.StateName)
	require.GreaterOrEqual(t, got.TCP.BlindS, options().Interval.Seconds())
	// The reason of UDP sockets spoke of TCP listeners.
	require.Equal(t, got.TCP, got.UDP)

	o := listeners.Start(t, listeners.Task{Sockets: oneSocket}, nil)
	e := seen(t, ask, o)
	require.True(t, e.Listening)

	if os.Geteuid() == 0 {
		require.Nil(t, e.Process, "the descriptors of root's processes are hidden from others")
		require.Equal(t, fmt.Sprintf("an unknown process listens on %s", o.Addresses[0]), e.Sentence)
	}
}

// TestTwoRightsAreEnoughForTCP has neither root's files nor its rights over other processes.
func TestTwoRightsAreEnoughForTCP(t *testing.T) {
	if !mayWatch() {
		return
	}

	ask := watchOf(t, 0, nobody(unix.CAP_BPF, unix.CAP_PERFMON))
	require.Equal(t, coverage(StateWatching, "", 0), ask().TCP)

	o := listeners.Start(t, listeners.Task{Sockets: oneSocket}, nil)
	e := seen(t, ask, o)
	require.Equal(t, o.PID, e.Process.PID)
	require.Equal(t, os.Args[0], e.Process.CommandLine)
	require.Equal(t, os.Getpid(), e.Parents[0].PID)
}

// TestTwoRightsAreEnoughForUDPWhereProgramsMayBeAtFunctions has a stranger join a group of UDP sockets for a millisecond.
// Elsewhere it is held to say what is missing.
func TestTwoRightsAreEnoughForUDPWhereProgramsMayBeAtFunctions(t *testing.T) {
	if !mayWatch() {
		return
	}

	// All are of one user, as the kernel wants it of a group.
	own := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "127.0.0.1:0", UDP: true, ReusePort: true}}}, nobody())
	ask := watchOf(t, own.PID, nobody(unix.CAP_BPF, unix.CAP_PERFMON))
	got := ask()

	if !fentry.PossibleT(t) {
		require.Equal(t, StatePolling, got.UDP.State)
		require.Equal(t, "cannot watch UDP sockets at the kernel's functions: operation not permitted in spite of CAP_BPF and CAP_PERFMON; "+
			"use a kernel that runs programs there (fentry), as Debian's do; "+
			"cannot watch UDP sockets below a cgroup: operation not permitted without CAP_NET_ADMIN; run this as root with all its rights", got.UDP.Reason)

		return
	}

	require.Equal(t, coverage(StateWatching, "", 0), got.UDP)
	require.Equal(t, []listener.MasterState{{PID: own.PID, Sockets: 1}}, got.Masters)

	stranger := listeners.Start(t, listeners.Task{
		Listeners: 1, Life: time.Millisecond, Brief: listeners.Socket{Address: own.Addresses[0].String(), UDP: true, ReusePort: true},
	}, nobody())

	require.Eventually(t, func() bool {
		got = ask()

		return got.Foreign == 1 && got.Foreigners[0].LifetimeS != nil
	}, patience, 10*time.Millisecond)

	e := got.Foreigners[0]
	require.Equal(t, Event{
		Number: e.Number, OpenedAt: e.OpenedAt, LifetimeS: e.LifetimeS, Network: listener.UDP, Address: own.Addresses[0],
		NamespaceID: own.NamespaceID, Sockets: 1, ReusePort: new(true), Joined: true, Process: e.Process, Parents: e.Parents,
		UID: e.UID, User: e.User, Cgroup: e.Cgroup, Unit: e.Unit, Foreign: true, Sentence: e.sentence(),
		Concerns: []Concern{{
			MasterPID: own.PID, MasterAddress: own.Addresses[0], Relation: listener.RelationSameAddress, RelationName: "same_address",
		}},
	}, e)
	require.Equal(t, stranger.PID, e.Process.PID)
	require.Equal(t, os.Getpid(), e.Parents[0].PID)
	require.GreaterOrEqual(t, *e.LifetimeS, 0.001)
	require.Less(t, *e.LifetimeS, 1.0)
	t.Log(e.Sentence)
}

func TestThreeRightsAreEnoughForUDP(t *testing.T) {
	if !mayWatch() {
		return
	}

	got := watchOf(t, 0, nobody(unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_NET_ADMIN))()
	require.Equal(t, coverage(StateWatching, "", 0), got.TCP)
	require.Equal(t, coverage(StateWatching, "", 0), got.UDP)
}

func TestPollingSeesWhatStays(t *testing.T) {
	same := []listeners.Socket{{Address: "127.0.0.1:0", ReusePort: true}}
	own := listeners.Start(t, listeners.Task{Sockets: same}, nil)

	o := options(own.PID)
	o.PollOnly = true
	w := started(t, o)
	require.Equal(t, "programs in the kernel are switched off", w.Snapshot().TCP.Reason)

	stranger := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: own.Addresses[0].String(), ReusePort: true}}},
		nil, "/bin/sh", "-c", `"$0"; exit 0`)
	e := foreigner(t, w)
	require.Equal(t, Event{
		Number: e.Number, OpenedAt: e.OpenedAt, Listening: true, Network: listener.TCP, Address: own.Addresses[0],
		NamespaceID: own.NamespaceID, Sockets: 1, Joined: true, Process: e.Process, Parents: e.Parents, UID: uint32(os.Geteuid()),
		User: e.User, Cgroup: e.Cgroup, Unit: e.Unit, Foreign: true, Sentence: e.sentence(),
		Concerns: []Concern{{
			MasterPID: own.PID, MasterAddress: own.Addresses[0], Relation: listener.RelationSameAddress, RelationName: "same_address",
		}},
	}, e)
	require.Equal(t, stranger.PID, e.Process.PID)
	require.Equal(t, "sh", e.Parents[0].Name)
	require.Equal(t, os.Getpid(), e.Parents[1].PID)

	stranger.Stop()
	require.Eventually(t, func() bool { return !foreigner(t, w).Listening }, patience, time.Millisecond)
	require.Positive(t, *foreigner(t, w).LifetimeS)
	require.Positive(t, w.Snapshot().Closed)
}

// TestPollingSeesUDPOfAnNginxOnly leaves the sockets of clients alone.
func TestPollingSeesUDPOfAnNginxOnly(t *testing.T) {
	own := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{{Address: "127.0.0.1:0", UDP: true, ReusePort: true}}}, nil)
	o := options(own.PID)
	o.PollOnly = true
	w := started(t, o)

	stranger := listeners.Start(t, listeners.Task{Sockets: []listeners.Socket{
		{Address: "127.0.0.1:0", UDP: true}, {Address: own.Addresses[0].String(), UDP: true, ReusePort: true},
	}}, nil)
	e := foreigner(t, w)
	require.Equal(t, stranger.PID, e.Process.PID)
	require.Equal(t, listener.UDP, e.Network)
	require.Equal(t, own.Addresses[0], e.Address)
	require.Len(t, eventsOf(t, w, stranger.PID, 0), 1)
}

// TestPollingNamesAllSocketsOfAProcess is of an nginx with 32 workers and reuseport: beyond 16 sockets it was a crowd of unknown processes.
func TestPollingNamesAllSocketsOfAProcess(t *testing.T) {
	const many = 40

	o := options()
	o.PollOnly = true
	w := started(t, o)

	task := listeners.Task{Late: true}
	for range many {
		task.Sockets = append(task.Sockets, listeners.Socket{Address: "127.77.0.1:2000", ReusePort: true})
	}

	process := listeners.Start(t, task, nil)

	sockets := 0
	require.Eventually(t, func() bool {
		sockets = 0

		for _, e := range w.Snapshot().Events {
			if e.Address == process.Addresses[0] {
				require.Equal(t, process.PID, e.Process.PID)
				sockets += e.Sockets
			}
		}

		return sockets == many
	}, patience, time.Millisecond)
}
