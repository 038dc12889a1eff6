package oomunit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/testenv/oomkill"
)

func TestMain(m *testing.M) {
	oomkill.Serve()
	os.Exit(m.Run())
}

// tree makes files below a sysfs.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()

	sys := t.TempDir()
	for name, text := range files {
		path := filepath.Join(sys, "fs/cgroup", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}

	return sys
}

func events(limits, kills, groupKills int) string {
	return fmt.Sprintf("low 0\nhigh 0\nmax 7\noom %d\noom_kill %d\noom_group_kill %d\n", limits, kills, groupKills)
}

func unit(path string, limits, kills, groupKills uint64) Unit {
	return Unit{Name: filepath.Base(path), Cgroup: path, Kills: kills, AtLimit: &limits, GroupKills: &groupKills}
}

func TestKillsAreCountedByUnit(t *testing.T) {
	t.Parallel()

	sys := tree(t, map[string]string{
		"cgroup.controllers":                             "cpu io memory pids\n",
		"system.slice/memory.events":                     events(3, 9, 1),
		"system.slice/nginx.service/memory.events":       events(1, 1, 0),
		"system.slice/php.service/memory.events":         events(2, 5, 1),
		"system.slice/php.service/inner/memory.events":   events(2, 5, 1),
		"system.slice/idle.service/memory.events":        events(0, 0, 0),
		"user.slice/memory.events":                       events(0, 2, 0),
		"user.slice/user-7.slice/memory.events":          events(0, 2, 0),
		"user.slice/user-7.slice/a.scope/memory.events":  "low 0\nhigh 0\nmax 0\noom 0\noom_kill 2\n",
		"left.slice/memory.events":                       events(0, 4, 0),
		"machine.slice/without-the-controller/cgroup.id": "1\n",
	})

	scope := unit("/user.slice/user-7.slice/a.scope", 0, 2, 0)
	scope.GroupKills = nil // before 5.17

	for n, want := range map[int]Report{
		5: {Reading: cgroup.Reading{CgroupVersion: 2}, Units: []Unit{
			unit("/system.slice/php.service", 2, 5, 1),
			{Name: "left.slice", Cgroup: "/left.slice", Ended: true, Kills: 4},
			{Name: "system.slice", Cgroup: "/system.slice", Ended: true, Kills: 3},
			scope,
			unit("/system.slice/nginx.service", 1, 1, 0),
		}},
		1: {Reading: cgroup.Reading{CgroupVersion: 2}, UnitsOmitted: 4, Units: []Unit{unit("/system.slice/php.service", 2, 5, 1)}},
	} {
		got, err := NewReader(sys).Read(context.Background(), n)
		require.NoError(t, err)
		require.Positive(t, got.ReadAt)
		require.Less(t, got.DurationS, 1.0)
		got.ReadAt, got.DurationS = 0, 0
		require.Equal(t, &want, got)
	}
}

func TestVersion1CountsEachCgroupForItself(t *testing.T) {
	t.Parallel()

	control := func(kills int) string { return fmt.Sprintf("oom_kill_disable 0\nunder_oom 0\noom_kill %d\n", kills) }
	sys := tree(t, map[string]string{
		"memory/memory.oom_control":                                  control(0),
		"memory/system.slice/memory.oom_control":                     control(0),
		"memory/system.slice/nginx.service/memory.oom_control":       control(1),
		"memory/system.slice/nginx.service/inner/memory.oom_control": control(2),
		"memory/old-kernel.service/memory.oom_control":               "oom_kill_disable 0\nunder_oom 0\n",
	})

	r, err := NewReader(sys).Read(context.Background(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, r.CgroupVersion)
	require.Equal(t, []Unit{{Name: "nginx.service", Cgroup: "/system.slice/nginx.service", Kills: 3}}, r.Units)
}

// TestTheRunningKernelCountsAKill is for either version of cgroups: that of the kernel that runs it.
func TestTheRunningKernelCountsAKill(t *testing.T) {
	t.Parallel()

	const slice = "oom-unit-test.slice"

	group, made := oomkill.NewGroup(t, 20<<20, slice)
	if !made {
		return
	}

	ours := func() (all []Unit) {
		r, err := NewReader("/sys").Read(context.Background(), cgroup.MaxUnits)
		require.NoError(t, err)
		require.Equal(t, group.Version, r.CgroupVersion)

		for _, u := range r.Units {
			if path.Dir(u.Cgroup) == "/"+slice || u.Cgroup == "/"+slice {
				u.AtLimit, u.GroupKills = nil, nil
				all = append(all, u)
			}
		}

		return all
	}

	require.Empty(t, ours())

	group.Kill(t, "hog")
	require.Equal(t, []Unit{{Name: path.Base(group.Path), Cgroup: group.Path, Kills: 1}}, ours())

	group.Kill(t, "hog")
	require.Equal(t, []Unit{{Name: path.Base(group.Path), Cgroup: group.Path, Kills: 2}}, ours())

	group.Remove(t)

	if group.Version == 2 {
		require.Equal(t, []Unit{{Name: slice, Cgroup: "/" + slice, Ended: true, Kills: 2}}, ours())
	} else {
		require.Empty(t, ours())
	}
}

func TestAHostWithoutTheControllerSaysWhatMendsIt(t *testing.T) {
	t.Parallel()

	_, err := NewReader(tree(t, map[string]string{"cgroup.controllers": "cpu\n"})).Read(context.Background(), 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "cannot tell in which units processes were killed: no memory controller below ")

	_, err = NewReader("/sys").Read(context.Background(), 0)
	require.EqualError(t, err, "cannot tell in which units processes were killed: cannot list 0 units: ask for 1 to 100")
}

func TestWhatIsNotSeenMakesNoKillsOfUnitsThatAreGone(t *testing.T) {
	t.Parallel()

	ended, cancel := context.WithCancel(context.Background())
	cancel()

	sys := tree(t, map[string]string{"cgroup.controllers": "memory\n", "a.slice/memory.events": events(0, 3, 0), "a.slice/b.service/memory.events": events(0, 3, 0)})
	r, err := NewReader(sys).Read(ended, 1)
	require.NoError(t, err)
	require.True(t, r.Incomplete)
	require.Empty(t, r.Units)
}

func FuzzCounts(f *testing.F) {
	f.Add([]byte(events(1, 2, 3)))
	f.Add([]byte("oom_kill_disable 0\nunder_oom 0\noom_kill 18446744073709551615\noom_kill x\n"))

	f.Fuzz(func(t *testing.T, data []byte) {
		if c, known := parseCounts(data); !known {
			require.Zero(t, c.kills)
		}
	})
}
