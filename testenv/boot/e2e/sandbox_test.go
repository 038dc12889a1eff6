//go:build systemd

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/boot"
)

// capabilities are those that the helper may have: CAP_DAC_READ_SEARCH (2), CAP_SYS_CHROOT (18), CAP_SYS_PTRACE (19), CAP_SYSLOG (34),
// CAP_PERFMON (38) and CAP_BPF (39), see capabilities(7).
const capabilities = 1<<2 | 1<<18 | 1<<19 | 1<<34 | 1<<38 | 1<<39

func TestTheHelperHasSixCapabilitiesAndAFilter(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	h.askHelper(agentUser, "/v1/status")
	status := h.root("cat", fmt.Sprintf("/proc/%d/status", h.mainPID(helperService)))
	for name, want := range map[string]string{
		"CapPrm": fmt.Sprintf("%016x", uint64(capabilities)), "CapEff": fmt.Sprintf("%016x", uint64(capabilities)), "CapBnd": fmt.Sprintf("%016x", uint64(capabilities)),
		"CapInh": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2",
	} {
		require.Regexp(t, `(?m)^`+name+`:\t`+want+`$`, status)
	}
}

// allowed are the deeds that the helper's work needs.
var allowed = []string{
	"read a file of root's", "look into another user's process", "trace another user's process",
	"connect to anywhere", "ask the kernel about listeners", "write in an empty /tmp of its own",
	"have a map in the kernel",
}

func TestAVictimInTheHelpersPlaceIsDeniedAllElse(t *testing.T) {
	t.Parallel()
	h := newInstalled(t, oldest())
	deeds, err := Build("testenv/boot/e2e/cmd/deeds", "test")
	require.NoError(t, err)
	require.NoError(t, h.CopyIn(t.Context(), deeds, "/usr/local/bin/deeds", "755"))

	free := parseDeeds(t, h.root("deeds"))
	confined := parseDeeds(t, h.inSandbox("/usr/local/bin/deeds"))
	require.Len(t, confined, len(free))
	for name, result := range confined {
		if slices.Contains(allowed, name) {
			require.Empty(t, result, "%s must be possible", name)
			continue
		}
		require.Contains(t, denials, result, "%s must be denied", name)
		require.NotContains(t, denials, free[name], "%s is denied to root without the sandbox too, so that nothing is proved", name)
		t.Logf("denied: %s (%s)", name, result)
	}
}

// denials are how the kernel says that a right is missing, a disk is read-only, or a family of sockets does not exist here.
var denials = []string{"EPERM", "EACCES", "EROFS", "EAFNOSUPPORT"}

func parseDeeds(t *testing.T, text string) map[string]string {
	t.Helper()
	var results map[string]string
	require.NoError(t, json.Unmarshal([]byte(text), &results), text)
	return results
}

// inSandbox runs another program in the helper's place, in a copy of its unit where only what starts differs, and returns its output.
func (h *host) inSandbox(program string) string {
	h.t.Helper()
	unit := h.root("cat", h.property(helperService, "FragmentPath"))
	h.write("/etc/systemd/system/victim.service", unit+"\n")
	h.write("/etc/systemd/system/victim.service.d/start.conf", "[Unit]\nRequires=\n[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart="+program+"\n")
	h.root("systemctl", "daemon-reload")
	started := h.try(boot.Root, "systemctl", "start", "victim.service")
	require.Zero(h.t, started.Status, h.journal("victim.service"))
	for line := range strings.Lines(h.journal("victim.service")) {
		if strings.HasPrefix(line, "{") {
			return line
		}
	}
	require.Fail(h.t, "the victim printed nothing", h.journal("victim.service"))
	return ""
}
