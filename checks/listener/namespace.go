package listener

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

// sameNamespaceFile has an inode of its own in each network namespace, and unlike ns/net anybody may ask for it.
const sameNamespaceFile = "net/netstat"

// processPath is a path below /proc/PID, where pid 0 stands for this process.
func (r *Reader) processPath(pid int, name string) string {
	if pid == 0 {
		return filepath.Join(r.proc, "self", name)
	}

	return filepath.Join(r.proc, strconv.Itoa(pid), name)
}

// namespaceKey tells network namespaces apart. It fails with fs.ErrNotExist for a process that has ended.
func (r *Reader) namespaceKey(pid int) (uint64, error) {
	key, err := inode(r.processPath(pid, sameNamespaceFile))
	if err != nil {
		return 0, fmt.Errorf("cannot tell the network namespace of process %d: %w; it may have ended", pid, err)
	}

	return key, nil
}

// namespaceID is the number that lsns(8) shows, 0 for who may not know it.
func (r *Reader) namespaceID(pid int) uint64 {
	id, _ := inode(r.processPath(pid, "ns/net"))

	return id
}

func inode(path string) (uint64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, bare(err)
	}

	stat, _ := info.Sys().(*syscall.Stat_t)

	return stat.Ino, nil
}

// inNamespace runs f in the network namespace of the process, pid 0 being this one.
func (r *Reader) inNamespace(pid int, f func() error) error {
	if pid == 0 {
		return f()
	}

	own, err := r.namespaceKey(0)
	if err != nil {
		return err
	}

	other, err := r.namespaceKey(pid)
	if err != nil {
		return err
	}

	if own == other {
		return f()
	}

	namespace, err := unix.Open(r.processPath(pid, "ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open the network namespace of process %d: %w; run this as root", pid, err)
	}
	defer func() { _ = unix.Close(namespace) }()

	return thread.Run(func() error {
		if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("cannot enter the network namespace of process %d: %w; it takes root with CAP_SYS_ADMIN", pid, err)
		}

		return f()
	})
}

// openInquiry opens a sock_diag socket in the network namespace of the process.
func (r *Reader) openInquiry(ctx context.Context, pid int) (q *inquiry, err error) {
	err = r.inNamespace(pid, func() error {
		q, err = openInquiry(ctx)

		return err
	})

	return q, err
}
