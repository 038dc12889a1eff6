package probe

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// right is a capability that the kernel asks for (capabilities(7)).
type right struct {
	number uint
	name   string
}

// everyRight stands for most others, those here among them.
const everyRight = unix.CAP_SYS_ADMIN

// aim is what is to be watched, and what mends it where that cannot be done.
type aim struct {
	what   string
	needed []right
	// lacking is for a process that has not the rights, refused for one that has them, and unsupported for a kernel that
	// cannot do it.
	lacking, refused, unsupported string
}

var (
	tcpListeners = aim{
		what: "TCP listeners in the kernel", needed: []right{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_PERFMON, "CAP_PERFMON"}},
		lacking:     "use the root helper",
		refused:     "look for a seccomp filter, lockdown=confidentiality or a security module",
		unsupported: "use Linux 5.15 or newer, with BTF",
	}
	udpFunctions = aim{
		what: "UDP sockets at the kernel's functions", needed: tcpListeners.needed, lacking: tcpListeners.lacking,
		refused: kernelWithFunctions, unsupported: kernelWithFunctions,
	}
	udpCgroup = aim{
		what:        "UDP sockets below a cgroup",
		needed:      append(slices.Clip(tcpListeners.needed), right{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}),
		lacking:     "run this as root with all its rights",
		refused:     tcpListeners.refused,
		unsupported: "use Linux 5.15 or newer, with cgroups of version 2",
	}
)

const kernelWithFunctions = "use a kernel that runs programs there (fentry), as Debian's do"

// explain says what the kernel's refusal means. What cilium/ebpf says of EPERM is about a limit of old kernels.
func (a *aim) explain(err error) error {
	if !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("cannot watch %s: %w; %s", a.what, err, a.unsupported)
	}

	effective, known := ownRights()
	if !known {
		return fmt.Errorf("cannot watch %s: %w; it takes %s", a.what, unix.EPERM, names(a.needed))
	}

	if missing := lacking(effective, a.needed); len(missing) > 0 {
		return fmt.Errorf("cannot watch %s: %w without %s; %s", a.what, unix.EPERM, names(missing), a.lacking)
	}

	return fmt.Errorf("cannot watch %s: %w in spite of %s; %s", a.what, unix.EPERM, names(a.needed), a.refused)
}

func lacking(effective uint64, needed []right) (missing []right) {
	if effective&(1<<everyRight) != 0 {
		return nil
	}

	for _, r := range needed {
		if effective&(1<<r.number) == 0 {
			missing = append(missing, r)
		}
	}

	return missing
}

func names(rights []right) string {
	all := make([]string, 0, len(rights))
	for _, r := range rights {
		all = append(all, r.name)
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
