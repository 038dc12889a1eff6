package probe

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

func TestLackingRightsAreNamed(t *testing.T) {
	t.Parallel()

	bit := func(numbers ...uint) (all uint64) {
		for _, n := range numbers {
			all |= 1 << n
		}

		return all
	}

	for name, c := range map[string]struct {
		effective uint64
		needed    []right
		want      string
	}{
		"none of two":              {0, tcpListeners.needed, "CAP_BPF and CAP_PERFMON"},
		"one of two":               {bit(unix.CAP_BPF), tcpListeners.needed, "CAP_PERFMON"},
		"the other of two":         {bit(unix.CAP_PERFMON), tcpListeners.needed, "CAP_BPF"},
		"both":                     {bit(unix.CAP_BPF, unix.CAP_PERFMON), tcpListeners.needed, ""},
		"the third of three":       {bit(unix.CAP_BPF, unix.CAP_PERFMON), udpCgroup.needed, "CAP_NET_ADMIN"},
		"all of one that has more": {bit(unix.CAP_SYS_ADMIN), udpCgroup.needed, ""},
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

	a := aim{
		what: "the moon", needed: []right{{63, "CAP_THAT_NOBODY_HAS"}}, lacking: "ask another", refused: "look elsewhere", unsupported: "take another sky",
	}
	refused := a.explain(errors.Join(errors.New("map create"), unix.EPERM))
	require.ErrorIs(t, refused, fs.ErrPermission)
	require.EqualError(t, a.explain(unix.ENOTSUP), "cannot watch the moon: operation not supported; take another sky")

	if os.Geteuid() == 0 {
		require.EqualError(t, refused, "cannot watch the moon: operation not permitted in spite of CAP_THAT_NOBODY_HAS; look elsewhere")
	} else {
		require.EqualError(t, refused, "cannot watch the moon: operation not permitted without CAP_THAT_NOBODY_HAS; ask another")
	}
}

// TestAnOrdinaryUserMayNotWatch is told what is missing.
func TestAnOrdinaryUserMayNotWatch(t *testing.T) {
	apart.AsNobody(t, func() {
		_, err := Open(RingSize)
		if !errors.Is(err, fs.ErrPermission) || err.Error() != "cannot watch TCP listeners in the kernel: operation not permitted without CAP_BPF and CAP_PERFMON; use the root helper" {
			t.Error(err)
		}
	})
}

// TestAFilterOfSystemCallsIsNotTakenForMissingRights has the kernel refuse bpf(2) as a service's sandbox does.
func TestAFilterOfSystemCallsIsNotTakenForMissingRights(t *testing.T) {
	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	require.NoError(t, apart.RefuseCall(unix.SYS_BPF, unix.EPERM))

	_, err := Open(RingSize)
	require.ErrorIs(t, err, fs.ErrPermission)

	if os.Geteuid() == 0 {
		require.EqualError(t, err, "cannot watch TCP listeners in the kernel: operation not permitted in spite of CAP_BPF and CAP_PERFMON; "+
			"look for a seccomp filter, lockdown=confidentiality or a security module")
	}
}
