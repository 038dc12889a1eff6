package tracepoint

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// TestAnOrdinaryUserMayNotWatch is told what is missing.
func TestAnOrdinaryUserMayNotWatch(t *testing.T) {
	apart.AsNobody(t, func() {
		_, err := Open()
		if !errors.Is(err, fs.ErrPermission) ||
			err.Error() != "cannot watch the OOM killer in the kernel: operation not permitted without CAP_BPF and CAP_PERFMON; use the root helper" {
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

	_, err := Open()
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "cannot watch the OOM killer in the kernel: operation not permitted ")
}

func TestTheHelperMayWatch(t *testing.T) {
	if !apart.InHelper(t) {
		return
	}

	w, err := Open()
	require.NoError(t, err)
	require.NoError(t, w.Close())
}
