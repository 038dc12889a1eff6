package site

import (
	"context"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// usage is what a leak would let grow.
func usage(tb testing.TB) (goroutines, descriptors int) {
	tb.Helper()

	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(tb, err)

	return runtime.NumGoroutine(), len(open)
}

func TestNoGoroutineOrDescriptorOutlivesManyProbes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	refusing := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())

	good := proberOf(t, pageServer(t).URL)
	bad := proberOf(t, refusing)

	// The kernel takes the connection into its queue and nobody answers.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	defer silent.Close()

	slow := proberOf(t, "http://"+silent.Addr().String())
	slow.target.Timeout = 20 * time.Millisecond

	goroutines, descriptors := usage(t)

	for i := range 3000 {
		require.Equal(t, ReasonOK, good.Probe(context.Background()).Reason)
		require.Equal(t, ReasonConnectRefused, bad.Probe(context.Background()).Reason)

		if i%10 == 0 {
			// On a busy machine the time is over before the connection is.
			require.Contains(t, []Reason{ReasonConnectTimeout, ReasonResponseTimeout}, slow.Probe(context.Background()).Reason)
		}
	}

	require.Eventually(t, func() bool {
		nowGoroutines, nowDescriptors := usage(t)

		return nowGoroutines <= goroutines+3 && nowDescriptors <= descriptors+3
	}, 5*time.Second, 20*time.Millisecond)
}
