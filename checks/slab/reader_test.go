package slab

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

func TestSlabinfoOfEachKernel(t *testing.T) {
	t.Parallel()

	type facts struct {
		caches  int
		largest string
		sum     uint64
	}

	for kernel, want := range map[string]facts{
		"2.6.32":          {caches: 59, largest: "kmalloc-64", sum: 692300 << 10},
		"3.10":            {caches: 27, largest: "inode_cache", sum: 38352 << 10},
		"6.12":            {caches: 102, largest: "ext4_inode_cache", sum: 125432 << 10},
		"6.18":            {caches: 235, largest: "ext4_inode_cache", sum: 222016 << 10},
		"slab-statistics": {caches: 15, largest: "size-4096", sum: 11060 << 10},
	} {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()

			data, err := os.ReadFile(filepath.Join("testdata", kernel, "slabinfo"))
			require.NoError(t, err)

			parsed := table{pageSize: testPage}
			parsed.parse(data)
			require.Nil(t, parsed.problems.List())

			bySize := largest(parsed.caches, len(parsed.caches)-1)
			require.Equal(t, want, facts{
				caches: len(parsed.caches), largest: bySize[0].Name, sum: parsed.byReclaim[ReclaimUnknown],
			})
		})
	}
}

func TestCachesOfAnOldKernelAddUpToSlab(t *testing.T) {
	t.Parallel()

	// 2.6.32 had no slabs outside caches: 4 kB come from reading two files one after the other.
	s, err := kernelReader(t, "2.6.32").Read()
	require.NoError(t, err)

	var sum uint64
	for _, c := range s.Caches {
		sum += c.SizeBytes
	}

	total, _ := s.Memory.Bytes("Slab")
	require.InDelta(t, float64(total), float64(sum), 4<<10)
}

func TestReclaimableCachesAddUpToSReclaimable(t *testing.T) {
	t.Parallel()

	s, err := kernelReader(t, "6.18").Read()
	require.NoError(t, err)
	require.True(t, s.Attributed)
	require.Empty(t, s.Problems)
	require.Equal(t, s.sreclaimable(), s.ReclaimableBytes)
	require.Equal(t, uint64(38908<<10), s.UnreclaimableBytes)
	require.Equal(t, new(uint64(6576<<10)), s.unattributed())
}

// TestRunningKernel holds the exact sums against the kernel's own counters. The two files are read one after the
// other and the machine is not idle, hence several tries and some hundred kB of tolerance.
func TestRunningKernel(t *testing.T) {
	t.Parallel()

	const tolerated = 512 << 10

	r := NewReader("/proc", "/sys", nil)

	s, err := r.Read()
	if os.Geteuid() != 0 {
		require.ErrorIs(t, err, fs.ErrPermission)

		return
	}

	require.NoError(t, err)
	require.Empty(t, s.Problems)
	require.True(t, s.Attributed)

	for range 50 {
		if distance(s.sreclaimable(), s.ReclaimableBytes) <= tolerated && s.UnreclaimableBytes <= s.sunreclaim()+tolerated {
			break
		}

		_, err = r.Read()
		require.NoError(t, err)
	}

	require.InDelta(t, float64(s.sreclaimable()), float64(s.ReclaimableBytes), tolerated)
	require.LessOrEqual(t, s.UnreclaimableBytes, s.sunreclaim()+tolerated)
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }

func TestReadAllocatesLittleAfterTheFirst(t *testing.T) {
	h := newHost(t, fake{"dentry", 7, "1"}, fake{"a name with blanks", 3, "0"}, fake{"kmalloc-64", 900, "0"})
	r := h.reader()
	_, err := r.Read()
	require.NoError(t, err)

	// A path for each of the two files.
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, err = r.Read() }), 2.0)
	require.NoError(t, err)
}

func TestReadFailures(t *testing.T) {
	t.Parallel()

	t.Run("an ordinary user is told what is missing", func(t *testing.T) {
		t.Parallel()

		var err error

		apart.AsNobody(t, func() { _, err = NewReader("/proc", "/sys", nil).Read() })
		require.ErrorIs(t, err, fs.ErrPermission)
		require.EqualError(t, err, "cannot read /proc/slabinfo: permission denied (mode 0400, root only); "+
			"grant CAP_DAC_READ_SEARCH or run as root")
	})

	t.Run("a kernel without slabinfo", func(t *testing.T) {
		t.Parallel()

		h := newHost(t)
		require.NoError(t, os.Remove(filepath.Join(h.proc, "slabinfo")))

		_, err := h.reader().Read()
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.EqualError(t, err, "cannot read "+h.proc+"/slabinfo: no such file or directory; "+
			"this kernel shows no slab caches, boot one built with CONFIG_SLUB_DEBUG")
	})

	t.Run("no meminfo", func(t *testing.T) {
		t.Parallel()

		h := newHost(t)
		require.NoError(t, os.Remove(filepath.Join(h.proc, "meminfo")))

		_, err := h.reader().Read()
		require.ErrorContains(t, err, "/meminfo: no such file or directory")
	})

	t.Run("another failure is passed on", func(t *testing.T) {
		t.Parallel()

		err := explain("/proc/slabinfo", unix.EIO)
		require.EqualError(t, err, "cannot read /proc/slabinfo: input/output error")
	})
}

func TestAttributionIsUnknownRatherThanWrong(t *testing.T) {
	t.Parallel()

	t.Run("where the kernel has no folder of caches", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, fake{"size-64", 5, ""})
		s, err := h.reader().Read()
		require.NoError(t, err)
		require.False(t, s.Attributed)
		require.Nil(t, s.unattributed())
		require.Equal(t, []string{"cannot tell which caches are reclaimable and merged: cannot read " + h.sys +
			"/kernel/slab: no such file or directory"}, s.Problems)
	})

	t.Run("where a cache is missing in it", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, fake{"dentry", 5, "1"}, fake{"new", 5, ""})
		s, err := h.reader().Read()
		require.NoError(t, err)
		require.False(t, s.Attributed)
		require.Equal(t, []string{"cannot tell whether new is reclaimable: cannot read " + h.sys +
			"/kernel/slab/new/reclaim_account: no such file or directory"}, s.Problems)
	})

	t.Run("but a cache without memory does no harm", func(t *testing.T) {
		t.Parallel()

		s, err := newHost(t, fake{"dentry", 5, "1"}, fake{"new", 0, ""}).reader().Read()
		require.NoError(t, err)
		require.True(t, s.Attributed)
	})

	t.Run("where a flag is neither 0 nor 1", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, fake{"dentry", 5, "maybe"})
		s, err := h.reader().Read()
		require.NoError(t, err)
		require.Equal(t, []string{"cannot tell whether dentry is reclaimable: " + h.sys +
			`/kernel/slab/dentry/reclaim_account holds "maybe\n"`}, s.Problems)
	})

	t.Run("where the flags are for root only", func(t *testing.T) {
		t.Parallel()

		c := newCatalog("/sys", nil)
		caches := []Cache{{Name: "dentry"}, {Name: "kmalloc-64"}}

		apart.AsNobody(t, func() { c.update(caches, 0) })
		require.Equal(t, ReclaimUnknown, caches[0].Reclaim)
		require.Equal(t, "cannot tell which caches are reclaimable: cannot read /sys/kernel/slab/dentry/reclaim_account: "+
			"permission denied (mode 0400, root only); grant CAP_DAC_READ_SEARCH or run as root", c.problem)
	})

	t.Run("where a line was not understood", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, fake{"dentry", 5, "1"})
		h.write("slabinfo", header+slabLine("dentry", 5)+"odd\n")
		s, err := h.reader().Read()
		require.NoError(t, err)
		require.False(t, s.Attributed)
		require.Len(t, s.Caches, 1)
	})

	t.Run("where slabinfo lists nothing", func(t *testing.T) {
		t.Parallel()

		h := newHost(t)
		s, err := h.reader().Read()
		require.NoError(t, err)
		require.False(t, s.Attributed)
		require.Contains(t, s.Problems, h.proc+"/slabinfo lists no cache")
	})
}

func TestCachesOfOneNameAreAddedUp(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"twin", 5, "0"}, fake{"dentry", 2, "1"}, fake{"twin", 7, "0"})
	r := h.reader()

	for range 2 {
		s, err := r.Read()
		require.NoError(t, err)
		require.Len(t, s.Caches, 2)
		require.Equal(t, Cache{
			Name: "twin", ActiveObjects: 31 * 12, Objects: 32 * 12, ObjectSize: 128, ObjectsPerSlab: 32, PagesPerSlab: 1,
			ActiveSlabs: 12, Slabs: 12, SizeBytes: 12 * testPage, ActiveBytes: 31 * 12 * 128, Reclaim: ReclaimNo,
		}, s.Caches[0])
		require.True(t, s.Attributed)
		require.Equal(t, s.sunreclaim(), s.UnreclaimableBytes)
	}
}

func TestSysfsIsReadAgain(t *testing.T) {
	t.Parallel()

	before := []fake{{"dentry", 5, "1"}, {"kmalloc-64", 5, "0"}}
	flag := func(t *testing.T, r *Reader, name string) Reclaim {
		t.Helper()

		s, err := r.Read()
		require.NoError(t, err)

		for _, c := range s.Caches {
			if c.Name == name {
				return c.Reclaim
			}
		}

		require.Fail(t, "no cache "+name)

		return ReclaimUnknown
	}

	t.Run("for a cache that appears, not for the others", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, before...)
		r := h.reader()
		require.Equal(t, ReclaimYes, flag(t, r, "dentry"))

		h.set(0, fake{"new", 1, "0"}, fake{"dentry", 5, "0"}, fake{"kmalloc-64", 5, "0"})
		require.Equal(t, ReclaimNo, flag(t, r, "new"))
		require.Equal(t, ReclaimYes, flag(t, r, "dentry"))
	})

	t.Run("after an hour", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, before...)
		r := h.reader()
		require.Equal(t, ReclaimYes, flag(t, r, "dentry"))

		h.set(0, fake{"dentry", 5, "0"}, fake{"kmalloc-64", 5, "0"})
		h.pass(59 * time.Minute)
		require.Equal(t, ReclaimYes, flag(t, r, "dentry"))
		h.pass(time.Minute)
		require.Equal(t, ReclaimNo, flag(t, r, "dentry"))
	})

	t.Run("after a minute where something is missing", func(t *testing.T) {
		t.Parallel()

		h := newHost(t, fake{"dentry", 5, ""})
		r := h.reader()
		require.Equal(t, ReclaimUnknown, flag(t, r, "dentry"))

		h.set(0, fake{"dentry", 5, "1"})
		require.Equal(t, ReclaimUnknown, flag(t, r, "dentry"))
		h.pass(time.Minute)
		require.Equal(t, ReclaimYes, flag(t, r, "dentry"))
	})
}

func TestAliases(t *testing.T) {
	t.Parallel()

	s, err := kernelReader(t, "6.18").Read()
	require.NoError(t, err)

	got := map[string][]string{}

	for _, c := range s.Caches {
		switch c.Name {
		case "dentry", "sigqueue", "PING", "bio-312":
			got[c.Name] = c.Aliases
		}
	}

	require.Equal(t, map[string][]string{
		"bio-312":  nil,
		"dentry":   nil,
		"PING":     {},
		"sigqueue": {"dnotify_mark", "fanotify_mark", "inotify_inode_mark"},
	}, got)
}

func TestAliasesNeedNoPrivilege(t *testing.T) {
	t.Parallel()

	var (
		found groups
		err   error
	)

	apart.AsNobody(t, func() { found, err = readGroups("/sys/kernel/slab") })
	require.NoError(t, err)
	require.NotEmpty(t, found.aliases)

	for name := range found.folderOf {
		require.NotContains(t, found.others(name), name)
	}
}

func TestSlashesInNames(t *testing.T) {
	t.Parallel()

	h := newHost(t, fake{"net/core", 1, "0"})
	folder := filepath.Join(h.sys, "kernel", "slab")
	require.NoError(t, os.Symlink("net!core", filepath.Join(folder, "net!other")))

	s, err := h.reader().Read()
	require.NoError(t, err)
	require.Equal(t, ReclaimNo, s.Caches[0].Reclaim)
	require.Equal(t, []string{"net/other"}, s.Caches[0].Aliases)
}
