package site

import (
	"context"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

const (
	// slack is how many goroutines and descriptors may come and go by themselves.
	slack       = 3
	settleLimit = 5 * time.Second
	// slowShare of the turns have a probe that times out.
	slowShare = 50
)

// usage is what a leak would let grow.
func usage(tb testing.TB) (goroutines, descriptors int) {
	tb.Helper()

	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(tb, err)

	return runtime.NumGoroutine(), len(open)
}

// mixture is the sites of another process that make probes end in every way: with an answer, at once, late, never.
type mixture struct {
	good, refused, reset, slow *Prober
}

func newMixture(tb testing.TB) *mixture {
	tb.Helper()

	urls := pageserver.StartT(tb, badsite.OK(), badsite.Refused(), badsite.ResetAfterRequest(), badsite.SilentAfterRequest())
	m := &mixture{good: proberOf(tb, urls[0]), refused: proberOf(tb, urls[1]), reset: proberOf(tb, urls[2]), slow: proberOf(tb, urls[3])}
	m.slow.target.Timeout = 20 * time.Millisecond

	return m
}

// probe makes n probes or up to three more.
func (m *mixture) probe(tb testing.TB, n int) {
	tb.Helper()

	for turn, made := 0, 0; made < n; turn++ {
		made += 3

		requireReason(tb, m.good, ReasonOK)
		requireReason(tb, m.refused, ReasonConnectRefused)
		requireReason(tb, m.reset, ReasonResetBeforeResponse)

		if turn%slowShare == 0 {
			made++

			// On a busy machine the time is over before the connection is.
			requireReason(tb, m.slow, ReasonConnectTimeout, ReasonResponseTimeout)
		}
	}
}

func requireReason(tb testing.TB, p *Prober, allowed ...Reason) {
	tb.Helper()

	if r := p.Probe(context.Background()); !slices.Contains(allowed, r.Reason) {
		require.Contains(tb, allowed, r.Reason, r.Sentence)
	}
}

func TestNoGoroutineOrDescriptorOutlivesManyProbes(t *testing.T) {
	m := newMixture(t)
	goroutines, descriptors := usage(t)

	m.probe(t, 6300)

	moreGoroutines, moreDescriptors := leftOver(t, goroutines, descriptors)
	require.LessOrEqual(t, moreGoroutines, slack)
	require.LessOrEqual(t, moreDescriptors, slack)
}

// leftOver is what there is more than before, once what ends by itself has ended.
func leftOver(tb testing.TB, goroutines, descriptors int) (moreGoroutines, moreDescriptors int) {
	tb.Helper()

	for deadline := time.Now().Add(settleLimit); ; time.Sleep(20 * time.Millisecond) {
		nowGoroutines, nowDescriptors := usage(tb)
		moreGoroutines, moreDescriptors = nowGoroutines-goroutines, nowDescriptors-descriptors

		if moreGoroutines <= 0 && moreDescriptors <= 0 || time.Now().After(deadline) {
			return moreGoroutines, moreDescriptors
		}
	}
}
