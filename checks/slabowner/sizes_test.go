package slabowner

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/slab"
)

func TestAGroupLiesInTheCacheThatHasGrown(t *testing.T) {
	t.Parallel()

	tcp := &group{cache: "TCP", bytes: 100 * mib}
	malloc := &group{cache: "kmalloc-cg-1k", malloc: 1024, bytes: 100 * mib}
	large := &group{cache: "large kmalloc", large: true, bytes: 100 * mib}

	type caches map[string]uint64

	for name, test := range map[string]struct {
		group         *group
		before, after caches
		cache         string
		grown         *int64
	}{
		"its own":                   {tcp, caches{"TCP": 5}, caches{"TCP": 25}, "TCP", new(int64(20))},
		"its own, which has shrunk": {tcp, caches{"TCP": 25}, caches{"TCP": 5}, "TCP", new(int64(-20))},
		"its own, which is new":     {tcp, nil, caches{"TCP": 5}, "TCP", new(int64(5))},
		"one that is not listed":    {tcp, nil, nil, "TCP", nil},
		"the ordinary one":          {malloc, nil, caches{"kmalloc-cg-1k": 60 * mib, "msg_msg-1k": 300 * mib}, "kmalloc-cg-1k", new(int64(60 * mib))},
		// Pipes that leaked meanwhile let the ordinary cache grow, and messages were said to be there.
		"another, which explains it":     {malloc, nil, caches{"kmalloc-cg-1k": 30 * mib, "msg_msg-1k": 90 * mib}, "msg_msg-1k", new(int64(90 * mib))},
		"that of message queues":         {malloc, nil, caches{"kmalloc-cg-1k": mib, "msg_msg-1k": 90 * mib, "msg_msg-2k": 99 * mib}, "msg_msg-1k", new(int64(90 * mib))},
		"a random one":                   {malloc, nil, caches{"kmalloc-cg-1k": 0, "kmalloc-rnd-03-1k": 26 * mib, "kmalloc-rnd-04-1k": 25 * mib}, "kmalloc-rnd-03-1k", new(int64(26 * mib))},
		"one of two that grew the same":  {malloc, nil, caches{"kmalloc-cg-1k": 0, "msg_msg-1k": 90 * mib, "memdup_user-1k": 90 * mib}, "memdup_user-1k", new(int64(90 * mib))},
		"none has grown as much":         {malloc, nil, caches{"kmalloc-cg-1k": mib, "msg_msg-1k": 24 * mib}, "kmalloc-cg-1k", new(int64(mib))},
		"one of another family and size": {malloc, nil, caches{"kmalloc-cg-1k": mib, "sgpool-1k": 90 * mib, "kmalloc-rcl-1k": 90 * mib, "1k": 90 * mib}, "kmalloc-cg-1k", new(int64(mib))},
		"not charged to cgroups":         {malloc, nil, caches{"kmalloc-1k": 2 * mib}, "kmalloc-1k", new(int64(2 * mib))},
		"no cache of kmalloc is listed":  {malloc, nil, caches{"TCP": 90 * mib}, "kmalloc-cg-1k", nil},
		"none, and it is known":          {large, caches{"": 10}, caches{"": 30}, "large kmalloc", new(int64(20))},
		"none, and it is not known":      {large, nil, caches{"": 30}, "large kmalloc", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			at := func(all caches) *sizes {
				z := &sizes{bytes: all}
				if bytes, ok := all[""]; ok {
					z.unattributed = &bytes
				}

				return z
			}

			cache, grown := changes{at(test.before), at(test.after)}.place(test.group)
			require.Equal(t, test.cache, cache)
			require.Equal(t, test.grown, grown)
		})
	}
}

func TestDoubtfulGroupsAreCountedAndMoreThanAreListedOmitted(t *testing.T) {
	t.Parallel()

	var entries []entry
	for site := range uint64(MaxOwners + 2) {
		entries = append(entries, many(200, entry{Size: 8192, At: 1, Cache: tcpCache, CallSite: site, Comm: comm("a")})...)
	}

	entries = append(entries, many(300, entry{Size: 4096, At: 1, Cache: oddCache, Comm: comm("a")})...)
	// One that no cache is known of is not doubted.
	entries = append(entries, many(400, entry{Size: 8192, At: 1, Cache: goneCache, Comm: comm("unknown")})...)

	// The kernel ends these itself.
	entries = append(entries, many(500, entry{Size: 8192, At: 1, Cache: tcpCache, CallSite: testSite, Comm: comm("nginx")})...)

	found := groupsOf(entries...)
	grown := changes{&sizes{}, &sizes{bytes: map[string]uint64{"TCP": 50 * mib, "odd": 0}, aliases: map[string][]string{"TCP": {"twin"}}}}
	r := &Report{}
	shown := r.judge(found, found.sorted(), grown, symbols{testSite: "inet_twsk_alloc+0x43", 0: "sk_alloc+0x1"})

	require.Len(t, shown, MaxOwners)
	require.Len(t, r.Owners, MaxOwners)
	require.Equal(t, "unknown", r.Owners[0].Process)
	require.Nil(t, r.Owners[0].CacheGrowthBytes)
	require.Equal(t, int64(50*mib), *r.Owners[1].CacheGrowthBytes)
	require.Equal(t, []int{1, 2, MaxOwners}, []int{r.Owners[0].Rank, r.Owners[1].Rank, r.Owners[MaxOwners-1].Rank})
	require.Equal(t, []string{"twin"}, r.Owners[1].Aliases)
	require.Equal(t, "a holds 15 MiB more in cache TCP (merged with twin), allocated by sk_alloc", r.Owners[1].Sentence)
	require.Equal(t, []any{3, 2, uint64(300*10*4096 + 500*10*8192)}, []any{r.OwnersOmitted, r.Doubtful, r.DoubtfulBytes})
}

func TestThisHostsCachesAreReadWithTheirAliases(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	z, err := readSizes(slab.NewReader("/proc", "/sys", nil))
	require.NoError(t, err)
	require.Positive(t, z.sunreclaim)
	require.Positive(t, z.bytes["kmalloc-64"])
	require.NotNil(t, z.unattributed)
	require.NotEmpty(t, z.aliases)

	_, err = readSizes(slab.NewReader(t.TempDir(), "/sys", nil))
	require.ErrorContains(t, err, "slabinfo")
}

func TestACopyOfAReportHasTheOwnersThatAreAskedFor(t *testing.T) {
	t.Parallel()

	r := &Report{Owners: []Owner{{Rank: 1}, {Rank: 2}, {Rank: 3}}, OwnersOmitted: 4}

	for n, want := range map[int]*Report{
		-1: {Owners: []Owner{}, OwnersOmitted: 7},
		0:  {Owners: []Owner{}, OwnersOmitted: 7},
		2:  {Owners: []Owner{{Rank: 1}, {Rank: 2}}, OwnersOmitted: 5},
		9:  {Owners: []Owner{{Rank: 1}, {Rank: 2}, {Rank: 3}}, OwnersOmitted: 4},
	} {
		c := r.First(n)
		require.Equal(t, want, c)

		for i := range c.Owners {
			c.Owners[i].Rank = 99
		}
	}

	require.Equal(t, 1, r.Owners[0].Rank)
}
