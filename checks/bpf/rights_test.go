package bpf

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestLackingRightsAreNamed(t *testing.T) {
	t.Parallel()

	network := append(Tracing(), Right{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"})
	bit := func(numbers ...uint) (all uint64) {
		for _, n := range numbers {
			all |= 1 << n
		}

		return all
	}

	for name, c := range map[string]struct {
		effective uint64
		needed    []Right
		want      string
	}{
		"none of two":              {0, Tracing(), "CAP_BPF and CAP_PERFMON"},
		"one of two":               {bit(unix.CAP_BPF), Tracing(), "CAP_PERFMON"},
		"the other of two":         {bit(unix.CAP_PERFMON), Tracing(), "CAP_BPF"},
		"both":                     {bit(unix.CAP_BPF, unix.CAP_PERFMON), Tracing(), ""},
		"the third of three":       {bit(unix.CAP_BPF, unix.CAP_PERFMON), network, "CAP_NET_ADMIN"},
		"all of one that has more": {bit(unix.CAP_SYS_ADMIN), network, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, c.want, names(lacking(c.effective, c.needed)))
		})
	}
}

func TestTheRightsOfAProcess(t *testing.T) {
	t.Parallel()

	effective, known := parseRights([]byte("Name:\ta\nCapPrm:\t0000000000000001\nCapEff:\t000000c000000000\nCapBnd:\t0000000000000002\n"))
	require.True(t, known)
	require.Equal(t, uint64(1<<unix.CAP_BPF|1<<unix.CAP_PERFMON), effective)

	for _, text := range []string{"", "CapEff:\tx\n", "CapEff"} {
		_, known = parseRights([]byte(text))
		require.False(t, known, text)
	}
}

func TestAnErrorSaysWhatMendsIt(t *testing.T) {
	t.Parallel()

	a := Aim{
		What: "the moon", Needed: []Right{{63, "CAP_THAT_NOBODY_HAS"}}, Lacking: "ask another", Refused: "look elsewhere", Unsupported: "take another sky",
	}
	refused := a.Explain(errors.Join(errors.New("map create"), unix.EPERM))
	require.ErrorIs(t, refused, fs.ErrPermission)
	require.EqualError(t, a.Explain(unix.ENOTSUP), "cannot watch the moon: operation not supported; take another sky")

	if os.Geteuid() == 0 {
		require.EqualError(t, refused, "cannot watch the moon: operation not permitted in spite of CAP_THAT_NOBODY_HAS; look elsewhere")
	} else {
		require.EqualError(t, refused, "cannot watch the moon: operation not permitted without CAP_THAT_NOBODY_HAS; ask another")
	}
}
