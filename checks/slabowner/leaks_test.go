package slabowner

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/testenv/leak"
)

// leaky is a leak, and what a session must say of it.
type leaky struct {
	process string
	kind    leak.Kind
	objects int
	// site is the function that must be named, and cache the place; any where the kernel merges it with others.
	site  string
	cache string
}

// observeLeaks follows allocations while processes leak, and for a while after.
func observeLeaks(t *testing.T, o Options, after time.Duration, all ...leaky) (*Report, []*leak.Leak) {
	t.Helper()

	leaks := make([]*leak.Leak, len(all))
	for i, one := range all {
		leaks[i] = leak.StartT(t, one.process, one.kind, one.objects)
	}

	one, err := newObservation(o)
	require.NoError(t, err)
	t.Cleanup(one.session.close)

	for _, l := range leaks {
		l.Grow(t)
	}

	// What is young does not count: a fifth of the session.
	after = max(after, time.Since(one.session.begun)/2)
	require.NoError(t, one.session.run(t.Context(), after))

	r, err := one.end()
	require.NoError(t, err)

	return r, leaks
}

func hostOptions() Options {
	return NewMonitor(Options{ProcPath: "/proc", SysPath: "/sys"}).options
}

// ofProcess are the owners of a name, in their order.
func (r *Report) ofProcess(name string) []Owner {
	var all []Owner

	for _, o := range r.Owners {
		if o.Process == name {
			all = append(all, o)
		}
	}

	return all
}

func TestLeaksAtOnceAreRankedByTheirSizeAndNamed(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	all := []leaky{
		{"leaky-tcp", leak.TCP, 15_000, "sk_prot_alloc", "TCP"},
		{"leaky-buffers", leak.LargePipes, 1_500, "pipe_resize_ring", "large kmalloc"},
		{"leaky-messages", leak.Messages, 12_000, "load_msg", messageCache(t)},
	}
	r, leaks := observeLeaks(t, hostOptions(), 2*time.Second, all...)
	require.Equal(t, StateDone, r.State)
	require.Empty(t, r.Problems)

	rank := 0

	for i, leaked := range all {
		owners := r.ofProcess(leaked.process)
		require.NotEmpty(t, owners, "%s in %+v", leaked.process, r)

		first := owners[0]
		require.Greater(t, first.Rank, rank, "the larger leak comes first: %+v", r.Owners)
		rank = first.Rank

		leaked.requireIn(t, first, leaks[i])
		require.InEpsilon(t, leaked.objects, first.Objects, 0.4, "%+v", first)
	}
}

// messageCache is where messages lie: in caches of their own from 6.11 on.
func messageCache(t *testing.T) string {
	t.Helper()

	z, err := readSizes(slab.NewReader("/proc", "/sys", nil))
	require.NoError(t, err)

	if _, own := z.bytes["msg_msg-1k"]; own {
		return "msg_msg-1k"
	}

	return "kmalloc-cg-1k"
}

// requireIn holds an owner to all that is known of a leak.
func (one leaky) requireIn(t *testing.T, o Owner, held *leak.Leak) {
	t.Helper()

	require.True(t, isSite(o.CallSite, one.site), "%+v", o)
	require.Contains(t, o.Stack, o.CallSite)
	require.NotContains(t, fmt.Sprint(o.Stack), "bpf_")
	require.Equal(t, one.process, o.Process)
	require.Equal(t, held.PIDs()[:min(maxPIDs, len(held.PIDs()))], o.PIDs)
	require.Equal(t, len(held.PIDs()), o.Processes)
	require.Equal(t, os.Getuid(), o.UID)
	require.Contains(t, o.Sentence, one.process+" holds ")
	require.Equal(t, one.kind == leak.LargePipes, o.Large)

	if one.cache != "" {
		require.Equal(t, one.cache, o.Cache)
	}
}

// isSite tells whether a frame is in a function, whose name is a little different in each version of the kernel.
func isSite(frame, function string) bool {
	return strings.TrimSuffix(strings.TrimLeft(functionOf(frame), "_"), "_noprof") == function
}
