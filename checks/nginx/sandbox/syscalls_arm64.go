package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch     = unix.AUDIT_ARCH_AARCH64
	sysNewfstatat = unix.SYS_FSTATAT
)

// oldSyscalls are none: arm64 never had them.
func oldSyscalls() []syscall { return nil }

var oldRefused map[string]uint32
