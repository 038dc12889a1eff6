package bpf

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Right is a capability that the kernel asks for (capabilities(7)).
type Right struct {
	Number uint
	Name   string
}

// everyRight stands for most others, those here among them.
const everyRight = unix.CAP_SYS_ADMIN

// Tracing are the rights for programs at tracepoints that read the kernel's memory.
func Tracing() []Right { return []Right{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_PERFMON, "CAP_PERFMON"}} }

// Explain says what the kernel's refusal means. What cilium/ebpf says of EPERM is about a limit of old kernels.
func Explain(what string, err error, needed []Right) error {
	if !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("cannot watch %s in the kernel: %w; use Linux 5.15 or newer, with BTF", what, err)
	}

	effective, known := ownRights()
	if !known {
		return fmt.Errorf("cannot watch %s in the kernel: %w; it takes %s", what, unix.EPERM, names(needed))
	}

	if missing := lacking(effective, needed); len(missing) > 0 {
		return fmt.Errorf("cannot watch %s in the kernel: %w without %s; use the root helper", what, unix.EPERM, names(missing))
	}

	return fmt.Errorf("cannot watch %s in the kernel: %w in spite of %s; look for a seccomp filter, lockdown=confidentiality or a security module",
		what, unix.EPERM, names(needed))
}

func lacking(effective uint64, needed []Right) (missing []Right) {
	if effective&(1<<everyRight) != 0 {
		return nil
	}

	for _, r := range needed {
		if effective&(1<<r.Number) == 0 {
			missing = append(missing, r)
		}
	}

	return missing
}

func names(rights []Right) string {
	all := make([]string, 0, len(rights))
	for _, r := range rights {
		all = append(all, r.Name)
	}

	return strings.Join(all, " and ")
}

func ownRights() (effective uint64, known bool) {
	status, err := procfile.Read("/proc/thread-self/status", nil)
	if err != nil {
		return 0, false
	}

	return parseRights(status)
}

// parseRights reads the effective capabilities in proc_pid_status(5).
func parseRights(status []byte) (effective uint64, known bool) {
	for line := range bytes.Lines(status) {
		if digits, found := bytes.CutPrefix(line, []byte("CapEff:")); found {
			effective, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 64)

			return effective, err == nil
		}
	}

	return 0, false
}
