package table

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/slabowner"
)

func TestOwnersAreShownWithTheirCodePaths(t *testing.T) {
	t.Parallel()

	owner := slabowner.Owner{
		Rank: 1, Sentence: "php\x1b holds 412 MiB more", Cache: "sock_inode_cache", Process: "php\x1b", Processes: 3, CallSite: "sock_alloc_inode+0x1d",
		Stack: []string{"sock_alloc_inode+0x1d", "alloc_inode+0x21", "leak+0x4 [leakmod]"}, Bytes: 412 << 20, Objects: 519246, ErrorPct: 2.7,
	}
	head := "slab owners over 30 s, 1 in 100 addresses followed: SUnreclaim grew by 500.0 MiB\n\n" +
		"#      holds    ±  objects  cache             process   allocated by\n" +
		"1  412.0 MiB  3 %   519246  sock_inode_cache  php? (3)  sock_alloc_inode+0x1d\n\n1  php? holds 412 MiB more\n   "

	for name, test := range map[string]struct {
		source []string
		want   string
	}{
		"no debug symbols": {nil, "sock_alloc_inode+0x1d < alloc_inode+0x21 < leak+0x4 [leakmod]\n"},
		"debug symbols of the kernel": {
			[]string{"net/socket.c:311", "fs/ino\x1bde.c:260", ""},
			"sock_alloc_inode+0x1d (net/socket.c:311) < alloc_inode+0x21 (fs/ino?de.c:260) < leak+0x4 [leakmod]\n",
		},
		"lines of another stack": {[]string{"net/socket.c:311"}, "sock_alloc_inode+0x1d < alloc_inode+0x21 < leak+0x4 [leakmod]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			o := owner
			o.Source = test.source
			r := &slabowner.Report{DurationS: 30, OneIn: 100, SUnreclaimGrowthBytes: 500 << 20, Owners: []slabowner.Owner{o}}
			require.Equal(t, head+test.want, Owners(r))
		})
	}
}

func TestOwnersThatAreNotShownAreAccountedFor(t *testing.T) {
	t.Parallel()

	const head = "slab owners over 30 s, 1 in 100 addresses followed: SUnreclaim "

	owner := slabowner.Owner{Rank: 1, Sentence: "php holds 1 MiB", Cache: "dentry", Process: "php", Processes: 1, CallSite: "f", Stack: []string{"f"}, Bytes: 1 << 20}

	for name, test := range map[string]struct {
		report slabowner.Report
		want   string
	}{
		// It said "grew by -80.0 KiB".
		"memory that shrank":          {slabowner.Report{State: slabowner.StateDone, SUnreclaimGrowthBytes: -80 << 10}, "shrank by 80.0 KiB\n\nnobody holds more than the noise\n"},
		"a session that ended early":  {slabowner.Report{State: slabowner.StateCutShort, Sentence: "ended"}, "grew by 0 B\n\nnote: ended\n\nthat was too short to tell who holds what\n"},
		"more owners than were asked": {slabowner.Report{Owners: []slabowner.Owner{owner}, OwnersOmitted: 3}, "allocated by\n1  1.0 MiB  0 %        0  dentry  php (1)  f\nand 3 more\n\n1  php holds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := test.report
			r.DurationS, r.OneIn = 30, 100
			text := Owners(&r)
			require.Contains(t, text, head)
			require.Contains(t, text, test.want)
		})
	}
}
