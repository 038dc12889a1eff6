package slabowner

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testLargest = 8192
	testNow     = uint64(100 * time.Second)
	testYoung   = 5 * time.Second
	tcpCache    = 0xffff888000001000
	oddCache    = 0xffff888000002000
	goneCache   = 0xffff888000003000
	testSite    = 0xffffffff81e31302
)

func comm(name string) (all [commSize]byte) {
	copy(all[:], name)

	return all
}

// groupsOf are the groups of some allocations, of which one in ten is followed.
func groupsOf(entries ...entry) *grouping {
	g := newGrouping(map[uint64]string{tcpCache: "TCP", oddCache: "odd", goneCache: "gone"}, 10, testLargest, testNow, testYoung)
	for i := range entries {
		g.add(uint64(i), &entries[i])
	}

	return g
}

// many are n allocations of one kind.
func many(n int, e entry) []entry {
	all := make([]entry, n)
	for i := range all {
		all[i] = e
	}

	return all
}

func TestAllocationsAreGroupedByCacheProgramUserAndPlace(t *testing.T) {
	t.Parallel()

	tcp := entry{Size: 2368, At: 1, Cache: tcpCache, CallSite: testSite, TGID: 7, UID: 33, Comm: comm("php-fpm"), Stack: -14}
	key := groupKey{"TCP", "php-fpm", testSite, 33}

	with := func(change func(*entry)) entry {
		other := tcp
		change(&other)

		return other
	}

	for name, test := range map[string]struct {
		other entry
		want  []groupKey
	}{
		"the same":                      {tcp, []groupKey{key}},
		"another process of it":         {with(func(e *entry) { e.TGID = 8 }), []groupKey{key}},
		"old bytes behind the name":     {with(func(e *entry) { e.Comm = comm("php-fpm\x00ker/1:2") }), []groupKey{key}},
		"another program":               {with(func(e *entry) { e.Comm = comm("sixteen letters!") }), []groupKey{key, {"TCP", "sixteen letters!", testSite, 33}}},
		"another user":                  {with(func(e *entry) { e.UID = 34 }), []groupKey{key, {"TCP", "php-fpm", testSite, 34}}},
		"another place":                 {with(func(e *entry) { e.CallSite = 5 }), []groupKey{key, {"TCP", "php-fpm", 5, 33}}},
		"a name that is no text":        {with(func(e *entry) { e.Comm = comm("a\x1b[31m\xff") }), []groupKey{key, {"TCP", "a?[31m?", testSite, 33}}},
		"a cache that was not learned":  {with(func(e *entry) { e.Cache = 9 }), []groupKey{key, {"", "php-fpm", testSite, 33}}},
		"a kmalloc":                     {with(func(e *entry) { e.Cache, e.Size = 0, 96 }), []groupKey{key, {"kmalloc-96", "php-fpm", testSite, 33}}},
		"a kmalloc charged to a cgroup": {with(func(e *entry) { e.Cache, e.Size, e.GFP = 0, 1024, gfpAccount }), []groupKey{key, {"kmalloc-cg-1k", "php-fpm", testSite, 33}}},
		"a kmalloc for a device":        {with(func(e *entry) { e.Cache, e.Size, e.GFP = 0, 512, gfpDMA|gfpAccount }), []groupKey{key, {"dma-kmalloc-512", "php-fpm", testSite, 33}}},
		"the largest cache of kmalloc":  {with(func(e *entry) { e.Cache, e.Size = 0, testLargest }), []groupKey{key, {"kmalloc-8k", "php-fpm", testSite, 33}}},
		"a kmalloc in no cache":         {with(func(e *entry) { e.Cache, e.Size = 0, 16384 }), []groupKey{key, {"large kmalloc", "php-fpm", testSite, 33}}},
		"one so young that it may end":  {with(func(e *entry) { e.At, e.UID = testNow-uint64(testYoung)+1, 35 }), []groupKey{key}},
		"one just old enough":           {with(func(e *entry) { e.At, e.UID = testNow-uint64(testYoung), 35 }), []groupKey{key, {"TCP", "php-fpm", testSite, 35}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got []groupKey
			for key := range groupsOf(tcp, test.other).all {
				got = append(got, key)
			}

			require.ElementsMatch(t, test.want, got)
		})
	}
}

func TestAGroupsEstimateIsScaledUnlessItIsLarge(t *testing.T) {
	t.Parallel()

	small := entry{Size: 2048, At: uint64(20 * time.Second), Cache: tcpCache, CallSite: testSite, TGID: 7, UID: 33, Comm: comm("a")}
	large := entry{Size: 16384, At: uint64(30 * time.Second), CallSite: testSite, TGID: 9, Comm: comm("a")}
	entries := append(many(500, small), many(600, large)...)

	// More processes than are listed.
	for i := range entries[:8] {
		entries[i].TGID, entries[i].At = uint32(20-i), uint64(40*time.Second)
	}

	g := groupsOf(entries...)

	var owners []Owner
	for _, one := range g.sorted() {
		owners = append(owners, g.owner(one))
	}

	require.Equal(t, []Owner{
		{
			Cache: "TCP", Aliases: []string{}, Process: "a", PIDs: []int{7, 13, 14, 15, 16}, Processes: 9, UID: 33, Stack: []string{},
			Bytes: 500 * 10 * 2048, Objects: 5000, ErrorPct: 8.3, Tracked: 500, OldestS: 80,
		},
		{
			Cache: "large kmalloc", Aliases: []string{}, Large: true, Process: "a", PIDs: []int{9}, Processes: 1, Stack: []string{},
			Bytes: 600 * 16384, Objects: 600, Tracked: 600, OldestS: 70,
		},
	}, owners)
}

func TestGroupsBelowTheNoiseAreLeftOutAndOthersSorted(t *testing.T) {
	t.Parallel()

	of := func(n int, site uint64, process string) []entry {
		return many(n, entry{Size: 8192, At: 1, CallSite: site, Comm: comm(process)})
	}

	var entries []entry
	for _, all := range [][]entry{of(102, 1, "noise"), of(103, 3, "b"), of(200, 4, "a"), of(103, 2, "z"), of(103, 2, "y")} {
		entries = append(entries, all...)
	}

	var got []string
	for _, one := range groupsOf(entries...).sorted() {
		got = append(got, one.process)
	}

	require.Equal(t, []string{"a", "y", "z", "b"}, got)
}

func TestTheErrorShrinksWithWhatIsFollowed(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		group group
		scale float64
		want  float64
	}{
		"few":                     {group{tracked: 4}, 100, 97.5},
		"many":                    {group{tracked: 10_000}, 100, 2},
		"all are followed":        {group{tracked: 10}, 1, 0},
		"large ones are followed": {group{tracked: 10, large: true}, 100, 0},
		"nothing":                 {group{}, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.InDelta(t, test.want, test.group.errorPct(test.scale), 1e-9)
		})
	}
}

func TestTheSentenceSaysWhoHoldsWhatAndWhere(t *testing.T) {
	t.Parallel()

	for want, o := range map[string]Owner{
		"httpd holds 10 MiB more in cache TCP, allocated by sk_prot_alloc":                                  {Process: "httpd", Bytes: 10<<20 + 9, Cache: "TCP", CallSite: "sk_prot_alloc+0x32"},
		"a holds 1 MiB more in cache sigqueue (merged with b, c, d), allocated by inotify_update_watch":     {Process: "a", Bytes: 1 << 20, Cache: "sigqueue", Aliases: []string{"b", "c", "d", "e"}, CallSite: "inotify_update_watch+0xa"},
		"a holds 1 MiB more in no cache (large kmalloc), allocated by 0xffffffff81000000":                   {Process: "a", Bytes: 1 << 20, Cache: "large kmalloc", Large: true, CallSite: "0xffffffff81000000"},
		"kworker/1:1 holds 1 MiB more in cache kmalloc-64 (merged with x), allocated by leak_one [leakmod]": {Process: "kworker/1:1", Bytes: 1 << 20, Cache: "kmalloc-64", Aliases: []string{"x"}, CallSite: "leak_one+0x24 [leakmod]"},
	} {
		o.describe()
		require.Equal(t, want, o.Sentence)
	}
}

func TestWhatTheKernelsClockEndsIsKnownByItsFunctionOrElseByItsCache(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		site   string
		caches []string
		want   bool
	}{
		"a connection that has ended":                 {"inet_twsk_alloc+0x43", []string{"tw_sock_TCP"}, true},
		"a connection without an answer":              {"inet_reqsk_alloc+0x10", nil, true},
		"a connection that has ended, without a name": {"0xffffffff81e31302", []string{"tw_sock_TCPv6"}, true},
		"one whose cache is merged with another":      {"0xffffffff81e31302", []string{"request_sock_TCP", "names"}, true},
		"a socket":                                    {"sk_prot_alloc+0x32", []string{"TCP"}, false},
		"a socket without a name":                     {"0xffffffff81e31302", []string{"TCP"}, false},
		"another function, in a cache that is merged": {"inotify_update_watch+0xa", []string{"tw_sock_TCP", "sigqueue"}, false},
	} {
		require.Equal(t, test.want, endsByItself(test.site, test.caches), name)
	}
}

// TestWhoWasInterruptedIsNotSaidToHoldMemory is of a database that was accused of what the network had received.
func TestWhoWasInterruptedIsNotSaidToHoldMemory(t *testing.T) {
	t.Parallel()

	const of = " interrupt while mysqld ran"

	for name, test := range map[string]struct {
		stack []string
		want  string
	}{
		"a network interrupt":       {[]string{"tcp_v4_rcv+0x1", "net_rx_action+0xfa", "handle_softirqs+0xe1", "irq_exit_rcu+0x1"}, "a network" + of},
		"of an older kernel":        {[]string{"net_rx_action+0xfa", "__do_softirq+0xe1"}, "a network" + of},
		"a timer's":                 {[]string{"call_timer_fn+0x1", "run_timer_softirq+0x1", "handle_softirqs+0xe1"}, "a software" + of},
		"the process itself":        {[]string{"tcp_v4_connect+0x1", "__sys_connect+0x1"}, ""},
		"what it polls by itself":   {[]string{"net_rx_action+0xfa", "napi_busy_loop+0x1"}, ""},
		"a stack that was not kept": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			o := Owner{Process: "mysqld", Bytes: 10 << 20, Cache: "TCP", CallSite: "sk_prot_alloc+0x32", Stack: test.stack}
			o.describe()

			if test.want == "" {
				require.Equal(t, "mysqld holds 10 MiB more in cache TCP, allocated by sk_prot_alloc", o.Sentence)
			} else {
				require.Equal(t, "10 MiB more are in cache TCP, allocated by sk_prot_alloc in "+test.want, o.Sentence)
			}
		})
	}
}

// TestThreadsOfTheKernelAreOneProgramOfEachKind is of a leak in a driver that each processor's thread had too little of to be seen.
func TestThreadsOfTheKernelAreOneProgramOfEachKind(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		comm      string
		tgid, uid uint32
		want      string
	}{
		"an idle processor":            {"swapper/17", 0, 0, "swapper"},
		"a worker":                     {"kworker/3:1H", 77, 0, "kworker"},
		"a worker of no processor":     {"kworker/u8:2", 78, 0, "kworker"},
		"software interrupts":          {"ksoftirqd/1", 15, 0, "ksoftirqd"},
		"who only calls itself one":    {"kworker/3:1", 900, 33, "kworker/3:1"},
		"a program with a slash":       {"php-fpm: pool/1", 901, 0, "php-fpm: pool/1"},
		"a thread of which one exists": {"kswapd0", 50, 0, "kswapd0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, programName(test.comm, &entry{TGID: test.tgid, UID: test.uid}))
		})
	}

	g := groupsOf(entry{Size: 64, At: 1, TGID: 15, Comm: comm("ksoftirqd/0")}, entry{Size: 64, At: 1, TGID: 24, Comm: comm("ksoftirqd/1")})
	require.Len(t, g.all, 1)
}

func TestTheMostFrequentIsTheFirstOfEquals(t *testing.T) {
	t.Parallel()

	most, found := mostOften(map[int32]int{3: 1, 2: 5, 1: 5})
	require.True(t, found)
	require.Equal(t, int32(1), most)

	_, found = mostOften(map[int32]int{})
	require.False(t, found)
}
