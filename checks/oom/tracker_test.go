package oom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/oom/journal"
	"zabbix-agent2-plugin-hosting/testenv/apart"
)

func TestPayload(t *testing.T) {
	t.Parallel()

	log := &double{}
	log.add(records(t, "6.18")...)
	log.add(records(t, "6.1")...)

	r, err := tracked(t, log, "nr_free_pages 5\noom_kill 3\ndrop_pagecache 1\n", 30000*time.Second).Get()
	require.NoError(t, err)

	got, err := json.Marshal(r)
	require.NoError(t, err)

	want, err := os.ReadFile("testdata/payload.json")
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
}

func TestPayloadWithoutVictims(t *testing.T) {
	t.Parallel()

	// Kernels before 4.13 have no oom_kill.
	r, err := tracked(t, &double{}, "nr_free_pages 5\n", time.Hour).Get()
	require.NoError(t, err)

	got, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"schema":1,"boot_at":1700000000,"victims_known":true,"victims":[],"sources":[{"source":2,"source_name":"kernel_log","used":true}]}`, string(got))
}

func TestKillsOfOddVmstat(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]*uint64{
		"oom_kill 18446744073709551615\n": new(uint64(18446744073709551615)),
		"oom_kill 7":                      new(uint64(7)),
		"oom_kill -1\n":                   nil,
		"oom_kill_x 3\n":                  nil,
		"x oom_kill 3\n":                  nil,
		"":                                nil,
	} {
		require.Equal(t, want, parseKills([]byte(text)), text)
	}
}

func TestTheLogIsReadOnce(t *testing.T) {
	t.Parallel()

	log := &double{}
	tracker := tracked(t, log, "oom_kill 1\n", time.Hour)

	pids := func() string {
		r, err := tracker.Get()
		require.NoError(t, err)
		require.True(t, r.VictimsKnown, r.VictimsError)

		text := ""
		for _, v := range r.Victims {
			text += fmt.Sprintf("%d@%.0f ", v.PID, v.At)
		}

		return text
	}

	require.Empty(t, pids())

	log.add(kmsg(5, 100, "php invoked oom-killer: gfp_mask=0x0", "Out of memory: Killed process 7 (a) "+sizes)...)
	require.Equal(t, "7@1700000100 ", pids())
	require.Equal(t, "7@1700000100 ", pids())

	log.add(kmsg(7, 200, "Out of memory: Killed process 8 (a) "+sizes)...)
	require.Equal(t, "8@1700000200 7@1700000100 ", pids())
	require.Equal(t, 1, log.opened)

	require.NoError(t, tracker.Close())
	require.Equal(t, 1, log.closed)
	require.Equal(t, "8@1700000200 7@1700000100 ", pids(), "opened again, the old records are passed over")
	require.Equal(t, 2, log.opened)
}

func TestOverwrittenRecordsDoNoHarm(t *testing.T) {
	t.Parallel()

	log := &double{}
	log.fail(errOverrun)
	log.add("not a record")
	log.add(kmsg(5, 100, "Out of memory: Killed process 7 (a) "+sizes)...)
	log.fail(errOverrun)
	log.add(kmsg(90, 110, "Out of memory: Killed process 8 (a) "+sizes)...)

	r, err := tracked(t, log, "oom_kill 2\n", time.Hour).Get()
	require.NoError(t, err)
	require.True(t, r.VictimsKnown)
	require.Len(t, r.Victims, 2)
}

// TestALogThatDoesNotReachBackToBootSaysSinceWhen is of a host with 57 kills and 3 victims, which nothing explained.
func TestALogThatDoesNotReachBackToBootSaysSinceWhen(t *testing.T) {
	t.Parallel()

	log := &double{}
	tracker := tracked(t, log, "oom_kill 57\n", time.Hour)
	since := func() *float64 {
		r, err := tracker.Get()
		require.NoError(t, err)
		require.True(t, r.Sources[0].Used)

		return r.Sources[0].Since
	}

	log.add(kmsg(0, 1, "Linux version 6.1", "Out of memory: Killed process 7 (a) "+sizes)...)
	require.Nil(t, since(), "it begins with the boot")

	log.fail(errOverrun)
	log.add(kmsg(90, 110, "Out of memory: Killed process 8 (a) "+sizes)...)
	require.Equal(t, new(float64(bootTime+110)), since(), "88 records were overwritten between two polls")

	log.add(kmsg(91, 120, "noise")...)
	require.Equal(t, new(float64(bootTime+110)), since())

	require.NoError(t, tracker.Close())
	require.Equal(t, new(float64(bootTime+110)), since(), "records that are passed over are no gap")

	late := tracked(t, &double{entries: []any{errOverrun, kmsg(5, 100, "noise")[0]}}, "oom_kill 57\n", time.Hour)
	r, err := late.Get()
	require.NoError(t, err)
	require.Equal(t, new(float64(bootTime+100)), r.Sources[0].Since)
}

// TestNamesFromTheLogStayOnOneLine has a process and its cgroup named as a user likes, as the kernel log and the journal hand them on.
func TestNamesFromTheLogStayOnOneLine(t *testing.T) {
	t.Parallel()

	log := &double{}
	log.add(kmsg(0, 100, `t\x1b[2J invoked oom-killer: gfp_mask=0x0`,
		`oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a\xff,task_memcg=/a\xff/b\x0d,task=e,pid=7,uid=33`,
		`Memory cgroup out of memory: Killed process 7 (e\x1b]0;) `+sizes)...)

	r, err := tracked(t, log, "oom_kill 1\n", time.Hour).Get()
	require.NoError(t, err)
	require.Equal(t, []string{"e?]0;", "t?[2J", "/a?", "/a?/b?"},
		[]string{r.Victims[0].Name, r.Victims[0].Trigger, r.Victims[0].OOMCgroup, r.Victims[0].Cgroup})
}

func TestABrokenLogIsOpenedAgain(t *testing.T) {
	t.Parallel()

	log := &double{}
	log.add(kmsg(5, 100, "Out of memory: Killed process 7 (a) "+sizes)...)

	tracker := tracked(t, log, "oom_kill 1\n", time.Hour)
	_, err := tracker.Get()
	require.NoError(t, err)

	log.fail(errors.New("cannot read the kernel log: input/output error"))

	r, err := tracker.Get()
	require.NoError(t, err)
	require.False(t, r.VictimsKnown)
	require.Equal(t, "cannot read the kernel log: input/output error", r.VictimsError)
	require.Len(t, r.Victims, 1, "what is known stays")
	require.Equal(t, 1, log.closed)

	log.entries = log.entries[:1]

	r, err = tracker.Get()
	require.NoError(t, err)
	require.True(t, r.VictimsKnown)
	require.Len(t, r.Victims, 1)
}

// endless never runs out of records.
type endless struct{ sequence int }

func (e *endless) read(buffer []byte) (int, error) {
	e.sequence++

	return copy(buffer, kmsg(e.sequence, 1, "noise")[0]), nil
}

func (e *endless) close() {}

func TestALongLogIsReadPieceByPiece(t *testing.T) {
	t.Parallel()

	log := &endless{}
	tracker := tracked(t, nil, "oom_kill 0\n", time.Hour)
	tracker.open = func() (kernelLog, error) { return log, nil }

	r, err := tracker.Get()
	require.NoError(t, err)
	require.False(t, r.VictimsKnown)
	require.Equal(t, "cannot list all victims yet: the kernel log is long, the next poll reads on", r.VictimsError)

	before := log.sequence
	require.LessOrEqual(t, before, maxRecords)

	_, err = tracker.Get()
	require.NoError(t, err)
	require.Greater(t, log.sequence, before)
}

func TestVmstatIsNeeded(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	_, err := NewTracker(Options{ProcPath: folder, KmsgPath: "/dev/null"}).Get()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "cannot read "+folder+
		"/vmstat: no such file or directory; mount proc there and let this user read it")
}

func TestUnreadableLogs(t *testing.T) {
	t.Parallel()

	t.Run("a container without the device", func(t *testing.T) {
		t.Parallel()

		path := filepath.Join(t.TempDir(), "kmsg")
		r, err := NewTracker(Options{ProcPath: "/proc", SysPath: "/sys", KmsgPath: path}).Get()
		require.NoError(t, err)
		require.False(t, r.VictimsKnown)
		require.Equal(t, "cannot read "+path+": no such file or directory; a container must be given this device",
			r.VictimsError)
		require.Equal(t, []SourceState{{Source: SourceKernelLog, SourceName: "kernel_log", Error: r.VictimsError}}, r.Sources)
		require.Empty(t, r.Victims)
		require.NotNil(t, r.Kills)
	})

	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()

		tracker := newTracker(thisHost(true), func() (kernelLog, error) { return nil, errors.New("cannot read it") }, systemInstant)
		tracker.traceErr = errors.New("cannot watch")
		tracker.journal = journal.NewReader("--directory=" + t.TempDir())

		r, err := tracker.Get()
		require.NoError(t, err)
		require.False(t, r.VictimsKnown)
		require.Len(t, r.Sources, 3)
		require.Contains(t, r.Sources[2].Error, "cannot read the journal: ")
		require.Equal(t, "cannot watch; and cannot read it; and "+r.Sources[2].Error, r.VictimsError)
		require.Equal(t, []Source{1, 2, 3}, []Source{r.Sources[0].Source, r.Sources[1].Source, r.Sources[2].Source})
	})

	t.Run("the device of the running kernel without CAP_SYSLOG", func(t *testing.T) {
		t.Parallel()

		const path = "/dev/kmsg"

		setting, err := os.ReadFile("/proc/sys/kernel/dmesg_restrict")
		require.NoError(t, err)

		var log kernelLog

		apart.AsNobody(t, func() { log, err = openDevice(path) })

		switch {
		case errors.Is(err, fs.ErrNotExist):
			require.EqualError(t, err, "cannot read /dev/kmsg: no such file or directory; a container must be given this device")
		case string(setting) == "0\n" && err == nil:
			log.close()
		default:
			require.ErrorIs(t, err, fs.ErrPermission)
			require.Contains(t, []string{
				"cannot read /dev/kmsg: operation not permitted; set sysctl kernel.dmesg_restrict=0 or grant CAP_SYSLOG",
				"cannot read /dev/kmsg: permission denied; make it readable for this user or grant CAP_DAC_READ_SEARCH",
			}, err.Error())
		}
	})

	t.Run("a file for others only", func(t *testing.T) {
		t.Parallel()

		path := filepath.Join(t.TempDir(), "kmsg")
		require.NoError(t, os.WriteFile(path, nil, 0))

		var err error

		apart.AsNobody(t, func() { _, err = openDevice(path) })
		require.EqualError(t, err, "cannot read "+path+
			": permission denied; make it readable for this user or grant CAP_DAC_READ_SEARCH")
	})
}

func TestDeviceReadsToTheEnd(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "kmsg")
	require.NoError(t, os.WriteFile(path, []byte(kmsg(1, 1, "one record")[0]), 0o600))

	log, err := openDevice(path)
	require.NoError(t, err)

	defer log.close()

	var got []record

	require.NoError(t, drain(log, make([]byte, recordSize), func(r record) { got = append(got, r) }))
	require.Len(t, got, 1)
	require.Equal(t, "one record", got[0].text)

	folder, err := openDevice(t.TempDir())
	require.NoError(t, err)

	defer folder.close()

	require.ErrorIs(t, drain(folder, make([]byte, recordSize), func(record) {}), unix.EISDIR)
}

func TestTrackerServesManyAtOnce(t *testing.T) {
	t.Parallel()

	log := &double{}
	log.add(records(t, "6.18")...)
	tracker := tracked(t, log, "oom_kill 1\n", time.Hour)

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				r, err := tracker.Get()
				if err != nil || len(r.Victims) != 1 || r.LastVictim.PID != 10717 {
					t.Errorf("got %+v, %v", r, err)
				}
			}
		})
	}

	all.Wait()
}

func TestBootTimeOfTheRunningKernel(t *testing.T) {
	t.Parallel()

	r, err := NewTracker(thisHost(false)).Get()
	require.NoError(t, err)

	now, err := systemInstant()
	require.NoError(t, err)
	require.InDelta(t, float64(now.wall.Add(-now.boot).Unix()), r.BootAt, 2)
	require.NotNil(t, r.Kills)
}
