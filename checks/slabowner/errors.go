package slabowner

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// unsupported is a kernel that cannot do it. errors.Is takes it for fs.ErrNotExist.
type unsupported string

func (u unsupported) Error() string { return string(u) }

func (u unsupported) Is(target error) bool { return target == fs.ErrNotExist }

// explain makes of the kernel's refusal what the caller can tell apart. What the library says of a missing permission, that memory may be short, is
// of kernels before 5.11.
func explain(err error) error {
	var rejected *ebpf.VerifierError

	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && !errors.As(err, &rejected):
		return fmt.Errorf("cannot follow allocations: %w; run as root, or grant CAP_BPF and CAP_PERFMON", fs.ErrPermission)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT), errors.Is(err, ebpf.ErrNotSupported), errors.As(err, &rejected):
		return unsupported(fmt.Sprintf("cannot follow allocations: %v; it needs Linux 6.1 or newer with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS", err))
	}

	return fmt.Errorf("cannot follow allocations: %w; try again", err)
}
