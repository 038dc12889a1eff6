package slabunit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

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

func stat(unreclaimable, reclaimable int) string {
	return fmt.Sprintf("anon 1\nslab_reclaimable %d\nslab_unreclaimable %d\n", reclaimable, unreclaimable)
}

func unit(name, path string, unreclaimable, reclaimable uint64) Unit {
	return Unit{Name: name, Cgroup: path, UnreclaimableBytes: &unreclaimable, ReclaimableBytes: &reclaimable}
}

func TestUnitsAreChargedAsAWhole(t *testing.T) {
	t.Parallel()

	sys := tree(t, map[string]string{
		"cgroup.controllers":                             "cpu io memory pids\n",
		"memory.stat":                                    stat(1000, 1000),
		"system.slice/memory.stat":                       stat(900, 900),
		"system.slice/nginx.service/memory.stat":         stat(30, 5),
		"system.slice/leaky.service/memory.stat":         stat(500, 40),
		"system.slice/leaky.service/inner/memory.stat":   stat(499, 40),
		"user.slice/user-7.slice/a.scope/memory.stat":    stat(7, 2),
		"docker/0123abcd/memory.stat":                    stat(100, 1),
		"machine.slice/without-the-controller/cgroup.id": "1\n",
	})

	r, err := NewReader(sys).Read(context.Background(), 3)
	require.NoError(t, err)
	require.Equal(t, []Unit{
		unit("leaky.service", "/system.slice/leaky.service", 500, 40),
		unit("0123abcd", "/docker/0123abcd", 100, 1),
		unit("nginx.service", "/system.slice/nginx.service", 30, 5),
	}, r.Units)
	require.Equal(t, 1, r.UnitsOmitted)
	require.Equal(t, 2, r.CgroupVersion)
	require.False(t, r.Incomplete)
}

// TestANameThatAUserChoseStaysOnOneLine is a cgroup below a service that was delegated to a user.
func TestANameThatAUserChoseStaysOnOneLine(t *testing.T) {
	t.Parallel()

	r, err := NewReader(tree(t, map[string]string{
		"cgroup.controllers":           "memory\n",
		"a\x1b[2J/b\xff\r/memory.stat": stat(7, 2),
	})).Read(context.Background(), 1)
	require.NoError(t, err)
	require.Equal(t, []Unit{unit("b??", "/a?[2J/b??", 7, 2)}, r.Units)
}

func TestVersion1TellsKernelMemoryOnly(t *testing.T) {
	t.Parallel()

	sys := tree(t, map[string]string{
		"unified/cgroup.controllers":                                    "hugetlb\n",
		"memory/memory.kmem.usage_in_bytes":                             "1000\n",
		"memory/system.slice/nginx.service/memory.kmem.usage_in_bytes":  "300\n",
		"memory/system.slice/broken.service/memory.kmem.usage_in_bytes": "many\n",
	})

	r, err := NewReader(sys).Read(context.Background(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, r.CgroupVersion)
	require.Equal(t, []Unit{
		{Name: "nginx.service", Cgroup: "/system.slice/nginx.service", KernelBytes: new(uint64(300))},
		{Name: "broken.service", Cgroup: "/system.slice/broken.service"},
	}, r.Units)
}

func TestTheStatOfLinux61IsUnderstood(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("testdata/memory.stat")
	require.NoError(t, err)

	var u Unit

	u.takeStat(text)
	require.Equal(t, Unit{
		UnreclaimableBytes: new(uint64(40684544)), ReclaimableBytes: new(uint64(16357376)), KernelBytes: new(uint64(57487360)),
	}, u)
}

func TestThisHostsCgroupsCanBeRead(t *testing.T) {
	t.Parallel()

	r, err := NewReader("/sys").Read(context.Background(), cgroup.MaxUnits)
	if err != nil {
		// A container without the controller.
		require.ErrorIs(t, err, fs.ErrNotExist)

		return
	}

	require.NotZero(t, r.CgroupVersion)
	require.Less(t, r.DurationS, 1.0)
}

func TestAHostWithoutTheControllerSaysWhatMendsIt(t *testing.T) {
	t.Parallel()

	_, err := NewReader(tree(t, map[string]string{"cgroup.controllers": "cpu\n"})).Read(context.Background(), 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "boot without cgroup_disable=memory")

	_, err = NewReader("/sys").Read(context.Background(), 0)
	require.EqualError(t, err, "cannot tell whose slab it is: cannot list 0 units: ask for 1 to 100")
}

func TestAHostWithTooManyCgroupsIsReadInPart(t *testing.T) {
	t.Parallel()

	ended, cancel := context.WithCancel(context.Background())
	cancel()

	r, err := NewReader(tree(t, map[string]string{"cgroup.controllers": "memory\n", "a/memory.stat": stat(1, 1)})).Read(ended, 1)
	require.NoError(t, err)
	require.True(t, r.Incomplete)
	require.Empty(t, r.Units)
}

func FuzzStat(f *testing.F) {
	text, err := os.ReadFile("testdata/memory.stat")
	if err != nil {
		f.Fatal(err)
	}

	f.Add(text)
	f.Fuzz(func(_ *testing.T, text []byte) {
		var u Unit

		u.takeStat(text)
		u.takeKernelBytes(text)
	})
}
