package probe

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// inItsOwn starts a process in a network namespace of its own, so that its sockets are told from those of others.
func inItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET} }

// watched is a probe that is closed at the test's end. It is false for those who may not watch, to whom the reason is told.
func watched(t *testing.T, ringSize int) (p *Probe, possible bool) {
	t.Helper()

	p, err := Open(ringSize)
	if os.Geteuid() != 0 {
		require.ErrorIs(t, err, fs.ErrPermission)
		require.EqualError(t, err, "cannot watch sockets in the kernel: operation not permitted without CAP_BPF and CAP_PERFMON; use the root helper")

		return nil, false
	}

	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })

	return p, true
}

// drain reads all records there are, and keeps those of a network namespace.
func drain(t *testing.T, p *Probe, namespace uint64) (records []Record) {
	t.Helper()
	p.Wake()

	for {
		r, err := p.Read(time.Time{})
		if err != nil {
			require.ErrorIs(t, err, ErrWoken)

			return records
		}

		if namespace == 0 || r.NamespaceID == namespace {
			records = append(records, r)
		}
	}
}

// collect reads records as they come, until the function ends, and keeps those of its network namespace, and of an unknown one.
func collect(t *testing.T, p *Probe, during func() (namespace uint64)) (records []Record) {
	t.Helper()

	all := make(chan []Record)

	go func() {
		var read []Record

		for {
			r, err := p.Read(time.Time{})
			if err != nil {
				all <- read

				return
			}

			read = append(read, r)
		}
	}()

	namespace := during()

	p.Wake()

	for _, r := range append(<-all, drain(t, p, 0)...) {
		if r.NamespaceID == namespace || r.NamespaceID == 0 {
			records = append(records, r)
		}
	}

	return records
}

// counts are the openings and closings, each of which must have its partner.
func counts(t *testing.T, records []Record) (opened, closed int) {
	t.Helper()

	open := make(map[uint64]struct{})

	for _, r := range records {
		if r.Kind == Opened {
			require.NotContains(t, open, r.Socket.Cookie)

			open[r.Socket.Cookie] = struct{}{}
			opened++
		} else {
			require.Contains(t, open, r.Socket.Cookie)
			delete(open, r.Socket.Cookie)

			closed++
		}
	}

	return opened, closed
}
