package oom

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/oom/journal"
	"zabbix-agent2-plugin-hosting/testenv/journald"
	"zabbix-agent2-plugin-hosting/testenv/oomkill"
)

func TestMain(m *testing.M) {
	oomkill.Serve()
	os.Exit(m.Run())
}

const limit = 20 << 20

// thisHost is the host that runs the test.
func thisHost(watch bool) Options {
	return Options{ProcPath: "/proc", SysPath: "/sys", KmsgPath: "/dev/kmsg", Watch: watch}
}

// settled is a report after the whole log was read, for which a slow machine takes several turns.
func settled(t *testing.T, tracker *Tracker) (r *Report) {
	t.Helper()

	require.Eventually(t, func() bool {
		var err error

		r, err = tracker.Get()
		require.NoError(t, err)

		for _, s := range r.Sources {
			if s.Error == errBehind.Error() {
				return false
			}
		}

		return true
	}, time.Minute, 20*time.Millisecond)

	return r
}

// victimsOf are those with these numbers, the newest first: others may be killed on this machine, too.
func victimsOf(t *testing.T, tracker *Tracker, pids ...int) (found []Victim) {
	t.Helper()

	r := settled(t, tracker)
	require.True(t, r.VictimsKnown, r.VictimsError)

	for _, v := range r.Victims {
		if slices.Contains(pids, v.PID) {
			found = append(found, v)
		}
	}

	return found
}

// trackers are one for each source alone, and one for the two best together. Possible are those that this user may use here.
func trackers(t *testing.T) (possible map[string]*Tracker) {
	t.Helper()

	closed := func() (kernelLog, error) { return nil, errors.New("cannot read it: the test has none") }
	possible = map[string]*Tracker{
		"the tracepoint":         newTracker(thisHost(true), closed, systemInstant),
		"the kernel log":         NewTracker(thisHost(false)),
		"the tracepoint and log": NewTracker(thisHost(true)),
	}

	if dir, started := journald.StartT(t); started {
		fromJournal := newTracker(thisHost(false), closed, systemInstant)
		fromJournal.journal = journal.NewReader("--directory=" + dir)
		possible["the journal"] = fromJournal
	}

	for name, tracker := range possible {
		t.Cleanup(func() { require.NoError(t, tracker.Close()) })

		// A journal begins a little later.
		deadline := time.Now().Add(10 * time.Second)
		for name == "the journal" && !settled(t, tracker).VictimsKnown && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
		}

		if r := settled(t, tracker); !r.VictimsKnown {
			require.NotZero(t, os.Geteuid(), "%s: %s", name, r.VictimsError)
			delete(possible, name)
		}
	}

	return possible
}

// TestAKillOfTheRunningKernelIsKnownFromEachSource lets the kernel kill a process at the limit of a cgroup that holds nothing else.
func TestAKillOfTheRunningKernelIsKnownFromEachSource(t *testing.T) {
	group, made := oomkill.NewGroup(t, limit)
	if !made {
		return
	}

	all := trackers(t)
	before := kills(t)
	pid := group.Kill(t, "my (hog)")
	require.Equal(t, before+1, kills(t))

	for name, tracker := range all {
		t.Run(name, func(t *testing.T) {
			var found []Victim

			require.Eventually(t, func() bool {
				found = victimsOf(t, tracker, pid)

				return len(found) == 1
			}, 10*time.Second, 20*time.Millisecond)

			v := found[0]
			require.Equal(t, "my (hog)", v.Name)
			require.Equal(t, new(0), v.UID)
			require.Equal(t, new(0), v.OOMScoreAdj)
			require.InDelta(t, float64(time.Now().Unix()), v.At, 30)
			// What it had before it was put into the group is charged elsewhere.
			require.Greater(t, *v.AnonRSSBytes, uint64(limit/2))
			require.Less(t, *v.RSSBytes, uint64(128<<20))
			require.Greater(t, *v.TotalVMBytes, uint64(256<<20))

			// After ten kills in five seconds the kernel log leaves out the lines that tell the cgroup and the trigger.
			if v.Cgroup != "" || name != "the kernel log" && name != "the journal" {
				require.Equal(t, group.Path, v.Cgroup)
				require.NotEmpty(t, v.Trigger)
			}

			if name == "the tracepoint" {
				require.Equal(t, ConstraintUnknown, v.Constraint)
			} else {
				require.Equal(t, ConstraintCgroup, v.Constraint)
			}

			if name == "the tracepoint" || name == "the tracepoint and log" {
				require.Equal(t, pid, v.TriggerPID)
			}

			again := victimsOf(t, tracker, pid)
			require.Len(t, again, 1, "counted once")
			require.Equal(t, v.At, again[0].At)
		})
	}
}

// TestEveryVictimOfAStormHasItsCgroup has more kills than those of which the kernel log tells all; of some nothing else is left in it than the last line.
func TestEveryVictimOfAStormHasItsCgroup(t *testing.T) {
	group, made := oomkill.NewGroup(t, limit)
	if !made {
		return
	}

	tracker := NewTracker(thisHost(true))
	t.Cleanup(func() { require.NoError(t, tracker.Close()) })

	r := settled(t, tracker)
	if !r.Sources[0].Used {
		require.NotZero(t, os.Geteuid(), r.Sources[0].Error)

		return
	}

	const storm = 30

	pids := make([]int, storm)
	for i := range storm {
		pids[i] = group.Kill(t, fmt.Sprintf("hog %d", i))
	}

	var found []Victim

	require.Eventually(t, func() bool {
		found = victimsOf(t, tracker, pids...)

		return len(found) == maxVictims && found[0].PID == pids[storm-1] && found[0].TriggerPID != 0
	}, 10*time.Second, 20*time.Millisecond)

	for i, v := range found {
		require.Equal(t, fmt.Sprintf("hog %d", storm-1-i), v.Name)
		require.Equal(t, pids[storm-1-i], v.PID)
		require.Equal(t, group.Path, v.Cgroup)
		require.NotEmpty(t, v.Trigger)

		if r.Sources[1].Used {
			require.Equal(t, ConstraintCgroup, v.Constraint)
		}
	}
}

// TestARestartRecountsNothing has a tracker begin again as after a restart of the plugin, of its worker or of the helper.
func TestARestartRecountsNothing(t *testing.T) {
	group, made := oomkill.NewGroup(t, limit)
	if !made {
		return
	}

	first := NewTracker(thisHost(true))

	r := settled(t, first)
	if !r.VictimsKnown {
		require.NotZero(t, os.Geteuid(), r.VictimsError)

		return
	}

	pid := group.Kill(t, "hog")
	count := kills(t)

	var before []Victim

	require.Eventually(t, func() bool {
		before = victimsOf(t, first, pid)

		return len(before) == 1
	}, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, first.Close())

	second := NewTracker(thisHost(true))
	t.Cleanup(func() { require.NoError(t, second.Close()) })

	require.Equal(t, count, int(*settled(t, second).Kills))

	after := victimsOf(t, second, pid)
	require.Len(t, after, 1)
	// The log rounds, and its clock is another.
	require.InDelta(t, before[0].At, after[0].At, 0.5)
	require.Equal(t, before[0].Name, after[0].Name)
}

// kills is the kernel's own count.
func kills(t *testing.T) int {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("/proc", "vmstat"))
	require.NoError(t, err)

	return int(*parseKills(text))
}
