package slabowner

import (
	"errors"
	"io/fs"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// unsupported is a kernel that cannot do it. errors.Is takes it for fs.ErrNotExist.
type unsupported string

func (u unsupported) Error() string { return string(u) }

func (u unsupported) Is(target error) bool { return target == fs.ErrNotExist }

// explain makes of the kernel's refusal what the caller can tell apart.
func explain(err error) error {
	var rejected *ebpf.VerifierError

	aim := bpf.Traced("allocations")
	aim.Unsupported = "use Linux 6.1 or newer, with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS"

	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && !errors.As(err, &rejected):
		return aim.Explain(unix.EPERM)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT), errors.Is(err, ebpf.ErrNotSupported), errors.As(err, &rejected):
		return unsupported(aim.Explain(err).Error())
	}

	aim.Unsupported = "try again"

	return aim.Explain(err)
}
