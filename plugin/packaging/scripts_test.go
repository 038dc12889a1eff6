package packaging

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	enabled     = "enable zabbix-hosting-helper.socket"
	disabled    = "disable zabbix-hosting-helper.socket"
	reloaded    = "daemon-reload"
	helperStop  = "stop zabbix-hosting-helper.socket zabbix-hosting-helper.service"
	socketStart = "start zabbix-hosting-helper.socket"
	agentStart  = "restart zabbix-agent2.service"
	triedWith   = "trial, configured yes, installed yes"
	triedAlone  = "trial, configured no, installed yes"
)

// rpm has no installer here: its scripts run in the order and with the arguments of rpm, on a host without Debian's tools.
func TestAnRPMIsInstalledUpgradedAndErased(t *testing.T) {
	h := newHost(t, false)
	h.installScript(t)

	script := func(name, argument string) {
		t.Helper()
		require.Empty(t, h.run(t, "scripts/"+name+".sh", argument))
	}
	unpack := func() { h.write(t, "new", installedTo) }

	script("preinstall", "1")
	unpack()
	h.write(t, "shipped", confTo)
	script("postinstall", "1")
	require.Equal(t, []string{enabled, reloaded, helperStop, socketStart, triedWith, agentStart}, h.happened(t))

	h.write(t, "administrator's", confTo)
	script("preinstall", "2")
	unpack()
	script("postinstall", "2")
	script("preremove", "1")
	script("postremove", "1")
	require.Equal(t, []string{reloaded, helperStop, socketStart, triedWith, agentStart}, h.happened(t))
	require.Equal(t, "administrator's", h.read(t, confTo))

	script("preremove", "0")
	h.remove(t, installedTo)
	script("postremove", "0")
	require.Equal(t, []string{helperStop, triedAlone, agentStart, disabled, reloaded}, h.happened(t))
	require.False(t, h.has(confTo))

	script("preinstall", "1")
	require.Equal(t, "administrator's", h.read(t, confTo))
}

func TestAnUpgradeLeavesASocketDisabledThatTheAdministratorDisabled(t *testing.T) {
	h := newHost(t, false)
	h.installScript(t)
	h.run(t, "scripts/postinstall.sh", "1")
	h.remove(t, wantsLink)
	h.happened(t)

	require.Empty(t, h.run(t, "scripts/postinstall.sh", "2"))
	require.Equal(t, []string{reloaded, helperStop, tried, agentStart}, h.happened(t))
	require.False(t, h.has(wantsLink))
}

// Images are built where no systemd runs, and started where one does.
func TestWithoutARunningSystemdTheSocketIsOnlyEnabled(t *testing.T) {
	h := newHost(t, false)
	h.remove(t, systemdRuns)
	require.Empty(t, h.run(t, "scripts/postinstall.sh", "1"))
	require.Equal(t, []string{enabled}, h.happened(t))
	require.True(t, h.has(wantsLink))

	require.Empty(t, h.run(t, "scripts/preremove.sh", "0"))
	require.Empty(t, h.run(t, "scripts/postremove.sh", "0"))
	require.Equal(t, []string{disabled}, h.happened(t))

	require.NoError(t, os.Remove(filepath.Join(h.bin, "systemctl")))

	for script, argument := range map[string]string{"preinstall": "1", "postinstall": "1", "preremove": "0", "postremove": "0"} {
		require.Empty(t, h.run(t, "scripts/"+script+".sh", argument))
	}
}

// What dpkg does when an operation fails half-way; see deb-postinst(5) and its like.
func TestAFailedOperationLeavesTheAgentAbleToStart(t *testing.T) {
	for name, test := range map[string]struct {
		script, argument string
		before           string
		want             map[string]bool
	}{
		"an installation that fails takes the configuration away again":  {"postremove", "abort-install", confTo, map[string]bool{confTo: false, confTo + ".disabled": true}},
		"a removal that fails brings the configuration back":             {"postinstall", "abort-remove", confTo + ".disabled", map[string]bool{confTo: true, confTo + ".disabled": false}},
		"an upgrade that fails before it began leaves it where it is":    {"postremove", "abort-upgrade", confTo, map[string]bool{confTo: true}},
		"an upgrade takes nothing away":                                  {"preremove", "upgrade", confTo, map[string]bool{confTo: true}},
		"the removal of a package that this depends on for a short time": {"preremove", "deconfigure", confTo, map[string]bool{confTo: true}},
		"purge leaves nothing":                                           {"postremove", "purge", confTo + ".disabled", map[string]bool{confTo + ".disabled": false}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, false)
			h.installScript(t)
			h.write(t, "administrator's", test.before)
			require.Empty(t, h.run(t, "scripts/"+test.script+".sh", test.argument))

			for file, want := range test.want {
				require.Equal(t, want, h.has(file), file)
			}
		})
	}
}

// Both there means that somebody wrote a new one after the removal.
func TestAConfigurationThatIsThereIsNotReplacedByTheOldOne(t *testing.T) {
	h := newHost(t, false)
	h.write(t, "new", confTo)
	h.write(t, "old", confTo+".disabled")

	require.Empty(t, h.run(t, "scripts/preinstall.sh", "install"))
	require.Equal(t, "new", h.read(t, confTo))
	require.Equal(t, "old", h.read(t, confTo+".disabled"))
}
