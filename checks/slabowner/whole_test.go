//go:build leaks

package slabowner

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/leak"
	"zabbix-agent2-plugin-hosting/testenv/load"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

var ordinary = flag.Duration("ordinary", 10*time.Minute, "how long ordinary work is watched")

// large is how much SUnreclaim must have grown by for a leak to count.
const large = 100 << 20

func TestTheFirstRowNamesEachLeakOfAHundredMegabytes(t *testing.T) {
	for _, one := range []leaky{
		{"leaky-tcp", leak.TCP, 42_000, "sk_prot_alloc", "TCP"},
		{"leaky-unix", leak.Unix, 80_000, "sk_prot_alloc", ""},
		{"leaky-pipes", leak.Pipes, 66_000, "alloc_pipe_info", ""},
		{"leaky-buffers", leak.LargePipes, 8_000, "pipe_resize_ring", "large kmalloc"},
		// A watch of 80 bytes pins an inode of nine times as much.
		{"leaky-watches", leak.Watches, 130_000, "shmem_alloc_inode", ""},
		{"leaky-messages", leak.Messages, 110_000, "load_msg", ""},
	} {
		t.Run(string(one.kind), func(t *testing.T) {
			r, leaks := observeLeaks(t, hostOptions(), 5*time.Second, one)
			require.Greater(t, r.SUnreclaimGrowthBytes, int64(large))
			require.NotEmpty(t, r.Owners)

			first := r.Owners[0]
			t.Logf("SUnreclaim grew by %d MiB in %.0f s; %s; estimated %+.1f %% of %d objects, allowed are %.1f %%", r.SUnreclaimGrowthBytes>>20, r.DurationS,
				first.Sentence, 100*(float64(first.Objects)/float64(one.objects)-1), one.objects, first.ErrorPct)
			one.requireIn(t, first, leaks[0])
			require.InEpsilon(t, one.objects, first.Objects, 0.25)

			if one.kind == leak.Watches {
				require.True(t, names(r, "inotify_update_watch"), "%+v", r.Owners)
			}
		})
	}
}

func names(r *Report, site string) bool {
	for _, o := range r.Owners {
		if isSite(o.CallSite, site) {
			return true
		}
	}

	return false
}

func TestOrdinaryWorkIsNoLeak(t *testing.T) {
	server := nginx.StartT(t, nginx.Options{Workers: 2})
	m := NewMonitor(Options{ProcPath: "/proc", SysPath: "/sys"})

	for end := time.Now().Add(*ordinary); time.Now().Before(end); {
		duration := max(MinDuration, min(MaxDuration, time.Until(end)))
		ctx, stop := context.WithCancel(t.Context())
		clients := load.StartT(t, load.Clients{Address: server.Addr(), Number: 16, Pause: 10 * time.Millisecond, Limit: duration + time.Minute})
		dir := t.TempDir()

		var work sync.WaitGroup

		work.Go(func() { leak.WorkWithoutLeak(ctx, dir) })

		r, err := m.Session(t.Context(), duration)

		stop()
		work.Wait()
		require.NoError(t, err)
		require.Empty(t, r.Owners, "%+v", r)
		t.Logf("%.0f s: %d allocations and freeings, %d requests, no owner; %d groups of %d MiB whose cache did not grow", r.DurationS, r.Events,
			clients.Stop().Answered, r.Doubtful, r.DoubtfulBytes>>20)
	}
}
