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

// TestAnOrdinaryUserMayNotWatch is told what is missing.
func TestAnOrdinaryUserMayNotWatch(t *testing.T) {
	apart.AsNobody(t, func() {
		_, err := Open(RingSize)
		if !errors.Is(err, fs.ErrPermission) || err.Error() != "cannot watch sockets in the kernel: operation not permitted without CAP_BPF and CAP_PERFMON; use the root helper" {
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
		require.EqualError(t, err, "cannot watch sockets in the kernel: operation not permitted in spite of CAP_BPF and CAP_PERFMON; "+
			"look for a seccomp filter, lockdown=confidentiality or a security module")
	}
}
