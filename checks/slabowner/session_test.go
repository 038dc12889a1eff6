package slabowner

import (
	"errors"
	"io/fs"
	"runtime"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestASessionThatCostsTooMuchIsEnded(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	m := NewMonitor(Options{ProcPath: "/proc", SysPath: "/sys", MaxCostPct: 1e-6})
	r, err := m.Session(t.Context(), MaxDuration)
	require.NoError(t, err)
	require.Equal(t, StateCutShort, r.State)
	require.Regexp(t, `^the session was ended after \d s, for it took \d+\.\d % of the processors, more than 0\.0 %$`, r.Sentence)
	require.GreaterOrEqual(t, r.DurationS, costAfter.Seconds())
}

func TestTheCostIsThatOfAllProcessors(t *testing.T) {
	t.Parallel()

	cpus := float64(time.Second) * float64(runtime.NumCPU())
	c := counters{Events: 1_000_000, Followed: 10_000}
	require.InDelta(t, 100*float64(1_000_000*60+10_000*2000)/cpus, costPct(c, time.Second), 1e-9)

	s := &session{options: Options{MaxCostPct: 1}}
	require.False(t, s.tooDear(c, time.Second), "it is too early to tell")
	require.False(t, s.tooDear(c, time.Hour))
	require.Empty(t, s.cut)
	require.True(t, s.tooDear(counters{Events: 1e9}, costAfter))
	require.NotEmpty(t, s.cut)
}

func TestARefusalOfTheKernelIsExplained(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		err        error
		permission bool
		missing    bool
	}{
		"no right":                       {unix.EPERM, true, false},
		"what SELinux says":              {unix.EACCES, true, false},
		"no such tracepoint":             {unix.ENOENT, false, true},
		"a program that is not accepted": {&ebpf.VerifierError{Cause: unix.EACCES}, false, true},
		"no memory":                      {unix.ENOMEM, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := explain(test.err)
			require.Regexp(t, `^cannot watch allocations in the kernel: .+; .+$`, err.Error())
			require.Equal(t, test.permission, errors.Is(err, fs.ErrPermission))
			require.Equal(t, test.missing, errors.Is(err, fs.ErrNotExist))
		})
	}
}
