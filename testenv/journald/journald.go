// Package journald runs systemd's journald of this machine for tests, with a directory /run of its own, so that the kernel log lies in a journal.
package journald

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

const (
	daemon    = "/lib/systemd/systemd-journald"
	machineID = "/etc/machine-id"
	journals  = "/run/log/journal"
	sockets   = "/run/systemd/journal"
)

// StartT starts it and ends it at the test's end. It returns the directory of its journals. Started is false where systemd is not there, or for who may
// not give a process mounts of its own.
func StartT(tb testing.TB) (journalsDir string, started bool) {
	tb.Helper()

	if _, err := os.Stat(daemon); errors.Is(err, fs.ErrNotExist) {
		return "", false
	}

	cmd := exec.Command(daemon)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr

	exited := make(chan struct{})
	begun := make(chan error)

	thread.Start(func() {
		defer close(exited)

		err := ownRun()
		if err == nil {
			err = cmd.Start()
		}

		begun <- err

		if err == nil {
			_ = cmd.Wait()
		}
	})

	if err := <-begun; err != nil {
		require.ErrorIs(tb, err, fs.ErrPermission)

		return "", false
	}

	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})

	return filepath.Join("/proc", fmt.Sprint(cmd.Process.Pid), "root", journals), true
}

// ownRun gives the calling thread, and what it starts, an empty /run with what journald wants there.
func ownRun() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return err
	}

	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}

	if err := unix.Mount("none", "/run", "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}

	id, err := os.ReadFile(machineID)
	if err != nil {
		return err
	}

	return errors.Join(os.MkdirAll(filepath.Join(journals, string(id[:len(id)-1])), 0o755), os.MkdirAll(sockets, 0o755))
}
