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
