package slabowner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// loaded are the programs of a session that is not attached: they see what the test has them run with.
type loaded struct {
	session
	byName map[string]*ebpf.Program
}

func loadPrograms(t *testing.T, oneIn uint64) *loaded {
	t.Helper()

	kernel, err := findLayout()
	require.NoError(t, err)

	l := &loaded{session: session{kernel: kernel, threshold: uint32(math.MaxUint32 / oneIn)}, byName: make(map[string]*ebpf.Program)}
	t.Cleanup(l.close)

	l.maps, err = newMaps()
	require.NoError(t, err)
	require.NoError(t, l.maps.setThreshold(l.threshold))

	a := assembler{layout: kernel, maps: &l.maps}
	for _, spec := range []*ebpf.ProgramSpec{a.allocations(), a.mallocs(), a.freeings(), a.kfrees()} {
		l.byName[spec.Name], err = l.load(spec)
		require.NoError(t, err)
	}

	return l
}

// run runs a program as the tracepoint with these arguments would.
func (l *loaded) run(t *testing.T, name string, arguments ...uint64) {
	t.Helper()

	// A tracepoint has room for 12.
	context := make([]byte, 0, 12*wordSize)
	for _, argument := range arguments {
		context = binary.NativeEndian.AppendUint64(context, argument)
	}

	_, err := l.byName[name].Run(&ebpf.RunOptions{Context: context[:cap(context)]})
	require.NoError(t, err)
}

// live are the allocations that are followed.
func (l *loaded) live(t *testing.T) map[uint64]entry {
	t.Helper()

	all := make(map[uint64]entry)
	require.NoError(t, l.maps.each(func(address uint64, e *entry) { all[address] = *e }))

	return all
}

// address is one that is followed, or not, by its hash.
func address(t *testing.T, threshold uint32, followed bool) uint64 {
	t.Helper()

	for at := uint64(0xffff888012345008); at < 0xffff888012400000; at += 8 {
		if (hash(at) <= threshold) == followed {
			return at
		}
	}

	require.Fail(t, "there is no such address")

	return 0
}

const (
	alloc, kmalloc, free, kfree = "slab_alloc", "slab_kmalloc", "slab_free", "slab_kfree"
	site                        = 0xffffffff81234567
)

func TestAnAllocationIsNotedWithWhoMadeIt(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	l := loadPrograms(t, 100)
	at := address(t, l.threshold, true)
	l.run(t, kmalloc, site, at, 1000, 1024, gfpAccount)

	noted := l.live(t)[at]
	require.NotZero(t, noted.At)

	name, err := os.ReadFile("/proc/self/comm")
	require.NoError(t, err)
	require.Equal(t, string(bytes.TrimSpace(name)), string(bytes.TrimRight(noted.Comm[:], "\x00")))

	want := entry{
		Size: 1024, At: noted.At, CallSite: site, Cgroup: noted.Cgroup, Stack: noted.Stack, TGID: uint32(os.Getpid()), UID: uint32(os.Getuid()),
		GFP: gfpAccount, Comm: noted.Comm,
	}
	require.Equal(t, want, noted)
}

func TestWhatIsFollowedIsDecidedByTheAddress(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	l := loadPrograms(t, 100)
	followed, not := address(t, l.threshold, true), address(t, l.threshold, false)
	large := l.kernel.largest + 1
	page := l.kernel.largeAlign

	var unlucky uint64
	for at := uint64(0xffff888000000000); unlucky == 0; at += page {
		if hash(at) > l.threshold {
			unlucky = at
		}
	}

	type call struct {
		program   string
		arguments []uint64
	}

	made := call{kmalloc, []uint64{site, followed, 64, 64, 0}}
	madeLarge := call{kmalloc, []uint64{site, unlucky, large, 2 * large, gfpReclaimable}}

	for name, test := range map[string]struct {
		calls []call
		live  []uint64
		want  counters
	}{
		"a small one":                           {[]call{made}, []uint64{followed}, counters{Events: 1, Followed: 1}},
		"one at another address":                {[]call{{kmalloc, []uint64{site, not, 64, 64, 0}}}, nil, counters{Events: 1}},
		"one that failed":                       {[]call{{kmalloc, []uint64{site, 0, 64, 64, 0}}, {alloc, []uint64{site, 0, 0, 0}}}, nil, counters{Events: 2}},
		"one that the kernel can reclaim":       {[]call{{kmalloc, []uint64{site, followed, 64, 64, gfpReclaimable}}}, nil, counters{Events: 1}},
		"a large one, whatever its address":     {[]call{madeLarge}, []uint64{unlucky}, counters{Events: 1, Followed: 1}},
		"one of the largest cache is not large": {[]call{{kmalloc, []uint64{site, unlucky, 5, l.kernel.largest, 0}}}, nil, counters{Events: 1}},
		"freed":                                 {[]call{made, {kfree, []uint64{site, followed}}}, nil, counters{Events: 2, Followed: 1, Freed: 1}},
		"freed by its cache":                    {[]call{made, {free, []uint64{site, followed}}}, nil, counters{Events: 2, Followed: 1, Freed: 1}},
		"a large one that is freed":             {[]call{madeLarge, {kfree, []uint64{site, unlucky}}}, nil, counters{Events: 2, Followed: 1, Freed: 1}},
		"freed twice":                           {[]call{made, {kfree, []uint64{site, followed}}, {kfree, []uint64{site, followed}}}, nil, counters{Events: 3, Followed: 1, Freed: 1}},
		"freed that was made before":            {[]call{{kfree, []uint64{site, followed}}, {free, []uint64{site, not}}}, nil, counters{Events: 2}},
		"nothing is freed":                      {[]call{{kfree, []uint64{site, 0}}}, nil, counters{Events: 1}},
		"made again, as its freeing was missed": {[]call{made, made}, []uint64{followed}, counters{Events: 2, Followed: 2, Replaced: 1}},
		"of a cache that cannot be read":        {[]call{{alloc, []uint64{site, followed, 8, 0}}}, []uint64{followed}, counters{Events: 1, Followed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			l := loadPrograms(t, 100)
			for _, one := range test.calls {
				l.run(t, one.program, one.arguments...)
			}

			var live []uint64
			for at := range l.live(t) {
				live = append(live, at)
			}

			require.Equal(t, test.live, live)

			counted, err := l.maps.count()
			require.NoError(t, err)

			counted.NoStack = 0
			require.Equal(t, test.want, counted)
		})
	}
}

// A kernel may refuse all programs at functions, as that of some virtual machines does. One that does not must accept this one, and a session use it.
func TestBulkFreeingsAreSeenWhereProgramsMayBeAtFunctions(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	l := loadPrograms(t, 100)
	_, err := l.load(assembler{layout: l.kernel, maps: &l.maps}.bulkFreeings())

	s, startErr := start(hostOptions())
	require.NoError(t, startErr)
	s.close()

	if errors.Is(err, unix.EPERM) {
		require.False(t, s.bulk)

		return
	}

	require.NoError(t, err)
	require.True(t, s.bulk)
}

// TestAListOfFreedAddressesIsForgotten has a list in a map, as the kernel's has no place of which a test knows.
func TestAListOfFreedAddressesIsForgotten(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	l := loadPrograms(t, 100)
	page := l.kernel.largeAlign
	unlucky := uint64(0xffff888000000000)

	for hash(unlucky) <= l.threshold {
		unlucky += page
	}

	list, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: wordSize * (maxBulk + 1), MaxEntries: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, list.Close()) })

	l.byName["list"], err = l.load(program("slab_list",
		asm.Instructions{asm.LoadMem(rSize, asm.R1, 0, asm.DWord), asm.LoadMapValue(rAddresses, list.FD(), 0)},
		assembler{layout: l.kernel, maps: &l.maps}.forgetAll()))
	require.NoError(t, err)

	followed, other := address(t, l.threshold, true), address(t, l.threshold, false)
	addresses := make([]uint64, maxBulk+1)
	addresses[0], addresses[1], addresses[maxBulk-1], addresses[maxBulk] = other, unlucky, followed, followed+1<<40

	for hash(addresses[maxBulk]) > l.threshold {
		addresses[maxBulk] += wordSize
	}

	require.NoError(t, list.Put(uint32(0), addresses))
	l.run(t, kmalloc, site, followed, 64, 64, 0)
	l.run(t, kmalloc, site, addresses[maxBulk], 64, 64, 0)
	l.run(t, kmalloc, site, unlucky, 2*page, 2*page, 0)
	require.Len(t, l.live(t), 3)

	l.run(t, "list", 1)
	require.Len(t, l.live(t), 3)
	l.run(t, "list", 2)
	require.NotContains(t, l.live(t), unlucky, "a large one, whatever its address")
	l.run(t, "list", maxBulk+1)
	require.Len(t, l.live(t), 1)
	require.Contains(t, l.live(t), addresses[maxBulk], "it is beyond what is looked at")
}
