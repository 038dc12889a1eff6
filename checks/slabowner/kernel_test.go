package slabowner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/stretchr/testify/require"
)

func TestThisKernelsLayoutIsFound(t *testing.T) {
	t.Parallel()

	l, err := findLayout()
	require.NoError(t, err)
	require.Positive(t, l.cacheName)
	require.Positive(t, l.cacheSize)
	require.NotEqual(t, l.cacheName, l.cacheSize)
	require.NotEqual(t, l.cacheName, l.cacheFlags)
	require.Equal(t, 1, bits.OnesCount32(l.reclaimable))
	require.Equal(t, 2*l.largest, l.largeAlign)
}

func TestTheCachesOfASessionAreThoseThatTheKernelCannotReclaim(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	s, err := start(hostOptions())
	require.NoError(t, err)
	t.Cleanup(s.close)
	require.NoError(t, s.maps.setThreshold(math.MaxUint32))

	// Each file has an inode and a dentry, which are reclaimable, and an open one a struct file.
	dir := t.TempDir()
	for i := range 100 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600))
	}

	s.detach()

	var (
		address uint64
		info    cacheInfo
		seen    = map[uint32]int{}
	)

	iterator := s.maps.caches.Iterate()
	for iterator.Next(&address, &info) {
		name, _, _ := strings.Cut(string(info.Name[:]), "\x00")
		require.NotEmpty(t, name)

		// Merged caches have a name in sysfs that is not theirs.
		reclaimable, err := os.ReadFile(filepath.Join("/sys/kernel/slab", name, "reclaim_account"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}

		require.NoError(t, err)
		require.Equal(t, string(reclaimable) == "0\n", info.Followed == 1, name)
		require.Positive(t, info.Size, name)

		seen[info.Followed]++
	}

	require.NoError(t, iterator.Err())
	require.Positive(t, seen[0])
	require.Positive(t, seen[1])
}

// kernelTypes are those of a kernel in which some are different.
func kernelTypes(t *testing.T, change func(types map[string]btf.Type)) *btf.Spec {
	t.Helper()

	pointer := &btf.Pointer{Target: (*btf.Void)(nil)}
	number := &btf.Int{Name: "unsigned long", Size: 8}
	size, flags := &btf.Typedef{Name: "size_t", Type: number}, &btf.Typedef{Name: "gfp_t", Type: &btf.Int{Name: "unsigned int", Size: 4}}
	cache := &btf.Struct{Name: "kmem_cache", Size: 24, Members: []btf.Member{
		{Name: "flags", Type: number}, {Name: "size", Type: number, Offset: 64}, {Name: "name", Type: pointer, Offset: 128},
	}}
	types := map[string]btf.Type{
		"cache":  cache,
		"alloc":  probe("btf_trace_kmem_cache_alloc", pointer, number, pointer, &btf.Pointer{Target: cache}, flags, number),
		"malloc": probe("btf_trace_kmalloc", pointer, number, pointer, size, size, flags, number),
	}
	change(types)

	var all []btf.Type
	for _, one := range types {
		all = append(all, one)
	}

	builder, err := btf.NewBuilder(all, nil)
	require.NoError(t, err)

	raw, err := builder.Marshal(nil, nil)
	require.NoError(t, err)

	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	require.NoError(t, err)

	return spec
}

func probe(name string, parameters ...btf.Type) *btf.Typedef {
	function := &btf.FuncProto{Return: (*btf.Void)(nil)}
	for _, one := range parameters {
		function.Params = append(function.Params, btf.FuncParam{Type: one})
	}

	return &btf.Typedef{Name: name, Type: &btf.Pointer{Target: function}}
}

func TestALayoutIsThatOfTheKernelsTypes(t *testing.T) {
	t.Parallel()

	l, err := layoutOf(kernelTypes(t, func(map[string]btf.Type) {}))
	require.NoError(t, err)

	page := uint64(os.Getpagesize())
	before := layout{cacheFlags: 0, cacheSize: 8, cacheName: 16, reclaimable: 0x20000, largest: 2 * page, largeAlign: 4 * page}
	require.Equal(t, before, l)

	// From 6.9 on the flags are numbered by an enum.
	l, err = layoutOf(kernelTypes(t, func(types map[string]btf.Type) {
		types["flags"] = &btf.Enum{Name: "_slab_flag_bits", Size: 4, Values: []btf.EnumValue{{Name: "_SLAB_POISON", Value: 1}, {Name: "_SLAB_RECLAIM_ACCOUNT", Value: 15}}}
	}))
	require.NoError(t, err)

	before.reclaimable = 1 << 15
	require.Equal(t, before, l)
}

func TestAKernelWithoutWhatIsNeededSaysWhatItLacks(t *testing.T) {
	t.Parallel()

	number := &btf.Int{Name: "unsigned long", Size: 8}
	cacheOf := func(fields ...string) *btf.Struct {
		s := &btf.Struct{Name: "kmem_cache", Size: 8}
		for _, name := range fields {
			s.Members = append(s.Members, btf.Member{Name: name, Type: number})
		}

		return s
	}

	for name, test := range map[string]struct {
		change func(types map[string]btf.Type)
		want   string
	}{
		"no tracepoint": {func(types map[string]btf.Type) { delete(types, "alloc") }, "btf_trace_kmem_cache_alloc"},
		"a tracepoint that is no function": {
			func(types map[string]btf.Type) {
				types["malloc"] = &btf.Typedef{Name: "btf_trace_kmalloc", Type: number}
			}, "btf_trace_kmalloc is no function",
		},
		"a tracepoint that points to a number": {
			func(types map[string]btf.Type) {
				types["malloc"] = &btf.Typedef{Name: "btf_trace_kmalloc", Type: &btf.Pointer{Target: number}}
			}, "btf_trace_kmalloc is no function",
		},
		"the tracepoints of 6.0": {
			func(types map[string]btf.Type) {
				types["alloc"] = probe("btf_trace_kmem_cache_alloc", number, number, number, number, number, number)
			}, "kmem_cache_alloc does not tell its cache",
		},
		"fewer arguments": {
			func(types map[string]btf.Type) { types["alloc"] = probe("btf_trace_kmem_cache_alloc", number) }, "kmem_cache_alloc does not tell its cache",
		},
		"other arguments": {
			func(types map[string]btf.Type) {
				types["malloc"] = probe("btf_trace_kmalloc", number, number, number, number, number, number, number)
			}, "kmalloc does not tell its size",
		},
		"no cache in the kernel": {
			func(types map[string]btf.Type) {
				pointed := &btf.Pointer{Target: &btf.Struct{Name: "other"}}
				types["alloc"] = probe("btf_trace_kmem_cache_alloc", number, number, number, pointed, number, number)
			}, "kmem_cache_alloc does not tell its cache",
		},
		"a cache without a name": {
			func(types map[string]btf.Type) {
				types["cache"] = cacheOf("flags", "size")
				types["alloc"] = probe("btf_trace_kmem_cache_alloc", number, number, number, &btf.Pointer{Target: types["cache"]}, number, number)
			}, "struct kmem_cache has no name",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := layoutOf(kernelTypes(t, test.change))
			require.ErrorContains(t, err, test.want)
		})
	}
}
