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

// Aim is what is to be watched, and what mends it where that cannot be done.
type Aim struct {
	What   string
	Needed []Right
	// Lacking is for a process that has not the rights, Refused for one that has them, and Unsupported for a kernel that
	// cannot do it.
	Lacking, Refused, Unsupported string
}

// Traced is an aim that programs at tracepoints reach.
func Traced(what string) Aim {
	return Aim{
		What: what + " in the kernel", Needed: Tracing(),
		Lacking:     "use the root helper",
		Refused:     "look for a seccomp filter, lockdown=confidentiality or a security module",
		Unsupported: "use Linux 5.15 or newer, with BTF",
	}
}

// Explain says what the kernel's refusal means. What cilium/ebpf says of EPERM is about a limit of old kernels.
func (a *Aim) Explain(err error) error {
	if !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("cannot watch %s: %w; %s", a.What, err, a.Unsupported)
	}

	effective, known := ownRights()
	if !known {
		return fmt.Errorf("cannot watch %s: %w; it takes %s", a.What, unix.EPERM, names(a.Needed))
	}

	if missing := lacking(effective, a.Needed); len(missing) > 0 {
		return fmt.Errorf("cannot watch %s: %w without %s; %s", a.What, unix.EPERM, names(missing), a.Lacking)
	}

	return fmt.Errorf("cannot watch %s: %w in spite of %s; %s", a.What, unix.EPERM, names(a.Needed), a.Refused)
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
