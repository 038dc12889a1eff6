package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/program"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

const (
	helperService = "zabbix-hosting-helper.service"
	helperSocket  = "zabbix-hosting-helper.socket"
	agentDropIn   = "zabbix-agent2.service.conf"

	// mostExposed is ten times the exposure level that `systemd-analyze security` may find: 3.0 of 10.
	mostExposed = "30"
)

// analyze runs systemd-analyze of Debian 12 on units that are beside those of its own package and returns what it says on stderr.
func analyze(t *testing.T, units string, arguments ...string) (stderr string, err error) {
	t.Helper()

	systemd, err := program.Programs("systemd", "systemd")
	require.NoError(t, err)

	var said strings.Builder

	command := systemd.Command("usr/bin/systemd-analyze", arguments...)
	command.Env = append(command.Env, "SYSTEMD_UNIT_PATH="+units+":"+systemd.Path("lib/systemd/system"))
	command.Stderr = &said
	err = command.Run()

	return said.String(), err
}

// unitDir returns a directory with the units, changed by change. They start a program that exists, as that is checked too.
func unitDir(t *testing.T, change func(string) string) string {
	t.Helper()

	dir := t.TempDir()
	agent, err := zabbixagent.Install(zabbixagent.V60)
	require.NoError(t, err)

	vendor := filepath.Join(strings.TrimSuffix(agent.Path, "usr/sbin/zabbix_agent2"), "lib/systemd/system/zabbix-agent2.service")
	for from, to := range map[string]string{
		filepath.Join("systemd", helperService): helperService,
		filepath.Join("systemd", helperSocket):  helperSocket,
		filepath.Join("systemd", agentDropIn):   "zabbix-agent2.service.d/hosting.conf",
		vendor:                                  "zabbix-agent2.service",
	} {
		text, err := os.ReadFile(from)
		require.NoError(t, err)

		unit := strings.NewReplacer("/usr/sbin/zabbix-hosting-helper", "/bin/true", "/usr/sbin/zabbix_agent2", "/bin/true").Replace(change(string(text)))
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, to)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), []byte(unit), 0o644))
	}

	return dir
}

func unchanged(text string) string { return text }

func replace(from, to string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, from, to) }
}

// systemd-analyze ends with status 0 whatever it warns of.
func TestSystemdHasNothingToSayAgainstTheUnits(t *testing.T) {
	dir := unitDir(t, unchanged)
	for _, unit := range []string{helperSocket, helperService, "zabbix-agent2.service"} {
		stderr, err := analyze(t, dir, "verify", "--man=no", filepath.Join(dir, unit))
		require.NoError(t, err, stderr)
		require.Empty(t, stderr, unit)
	}
}

func TestAFaultInAUnitIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		unit, from, to, want string
	}{
		"a directive that does not exist": {helperService, "ProtectClock=", "ProtectClok=", "Unknown key 'ProtectClok' in section [Service]"},
		"a value that is not allowed":     {helperService, "OOMPolicy=continue", "OOMPolicy=go", "Failed to parse OOM policy"},
		"a fault in the agent's drop-in":  {"zabbix-agent2.service", "Restart=always", "Restart=ever", "Failed to parse service restart specifier"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := unitDir(t, replace(test.from, test.to))
			stderr, _ := analyze(t, dir, "verify", "--man=no", filepath.Join(dir, test.unit))
			require.Contains(t, stderr, test.want)
		})
	}
}

func TestTheHelpersSandboxIsTight(t *testing.T) {
	service := func(change func(string) string) error {
		dir := unitDir(t, change)
		_, err := analyze(t, dir, "security", "--offline=true", "--threshold="+mostExposed, filepath.Join(dir, helperService))

		return err
	}
	require.NoError(t, service(unchanged))

	// One directive less is more than it may be.
	var exit *exec.ExitError

	require.ErrorAs(t, service(replace("PrivateTmp=yes", "")), &exit)
}

func TestTheUnitsKeepTheirContractWithTheHelper(t *testing.T) {
	for file, want := range map[string][]string{
		helperSocket: {
			"ListenStream=/run/zabbix-hosting-helper.sock", "FileDescriptorName=helper", "SocketUser=root", "SocketGroup=zabbix", "SocketMode=0660",
			"RemoveOnStop=yes", "WantedBy=sockets.target",
		},
		helperService: {
			"Type=notify", "ExecStart=/usr/sbin/zabbix-hosting-helper", "User=root", "NoNewPrivileges=yes", "AmbientCapabilities=",
			"CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_SYSLOG CAP_SYS_CHROOT CAP_BPF CAP_PERFMON",
		},
		agentDropIn: {"Restart=always", "StartLimitIntervalSec=0", "OOMScoreAdjust=-500"},
	} {
		text, err := os.ReadFile(filepath.Join("systemd", file))
		require.NoError(t, err)

		for _, line := range want {
			require.Contains(t, strings.Split(string(text), "\n"), line, file)
		}
	}
}
