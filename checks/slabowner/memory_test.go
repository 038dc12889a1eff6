//go:build !race

// The race detector takes more memory than a session may.

package slabowner

import (
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/inkernel"
	"zabbix-agent2-plugin-hosting/testenv/leak"
)

// maxMemory is what a session may take of the host, in the kernel and in its process.
const maxMemory = 15_000_000

func TestASessionTakesLittleMemory(t *testing.T) {
	t.Parallel()

	if !alone(t, apart.Place{}) {
		return
	}

	leaked := leak.StartT(t, "leaky", leak.LargePipes, 1000)

	debug.FreeOSMemory()

	before := procfile.RSS(os.Getpid())

	one, err := newObservation(hostOptions())
	require.NoError(t, err)
	t.Cleanup(one.session.close)

	kernel := uint64(inkernel.BytesHeldByT(t, os.Getpid()))
	began := procfile.RSS(os.Getpid())

	leaked.Grow(t)
	require.NoError(t, one.session.run(t.Context(), time.Second))

	r, err := one.end()
	require.NoError(t, err)
	require.NotEmpty(t, r.Owners)

	ended := procfile.RSS(os.Getpid())
	most := kernel + max(began, ended) - before
	t.Logf("kernel %.1f MB, process %.1f MB more at the start, %.1f MB at the end", mb(kernel), mb(began)-mb(before), mb(ended)-mb(before))
	require.Less(t, most, uint64(maxMemory))
}

func mb(bytes uint64) float64 { return float64(bytes) / 1e6 }
