package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeSystemctl keeps what is active and enabled in files below $HOST and logs what changes something, without options.
const fakeSystemctl = `#!/bin/sh
action= units= out=/dev/stdout
for word; do
	case "$word" in
	--quiet) out=/dev/null ;;
	-*) ;;
	*) if [ -z "$action" ]; then action=$word; else units="$units $word"; fi ;;
	esac
done
wants="$HOST/etc/systemd/system/sockets.target.wants"
set -- $units
case "$action" in
is-active) [ -e "$HOST/active/$1" ]; exit ;;
is-enabled) if [ -L "$wants/$1" ]; then echo enabled >$out; exit 0; fi; echo disabled >$out; exit 1 ;;
show) cat "$HOST/agent-user"; exit ;;
esac
echo "$action$units" >>"$HOST/log"
case "$action" in
enable) mkdir -p "$wants"; ln -s "/usr/lib/systemd/system/$1" "$wants/$1" ;;
disable) rm -f "$wants/$1" ;;
start) echo >"$HOST/active/$1" ;;
stop) for unit; do rm -f "$HOST/active/$unit"; done ;;
restart) [ ! -e "$HOST/restart-fails" ] ;;
esac
`

// fakeAgent logs what it finds on the host when it tries the configuration.
const fakeAgent = `#!/bin/sh
there() { if [ -e "$HOST/$1" ]; then echo yes; else echo no; fi; }
echo "trial, configured $(there etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf), installed $(there usr/sbin/zabbix-agent2-plugin/zabbix-agent2-plugin-hosting)" >>"$HOST/log"
cat "$HOST/agent-says"
exit "$(cat "$HOST/agent-status")"
`

const (
	wantsLink    = "etc/systemd/system/sockets.target.wants/zabbix-hosting-helper.socket"
	installedTo  = "usr/sbin/zabbix-agent2-plugin/zabbix-agent2-plugin-hosting"
	confTo       = "etc/zabbix/zabbix_agent2.d/plugins.d/hosting.conf"
	restartAgent = "usr/lib/zabbix-agent2-plugin-hosting/restart-agent"
	agentProgram = "usr/sbin/zabbix_agent2"
	systemdRuns  = "run/systemd/system"
	agentActive  = "active/zabbix-agent2.service"

	saysValue = `hosting.plugin.get                            [s|{"schema":1}]` + "\n"
)

// shellTools are what the scripts may call on a host that is not Debian's.
var shellTools = []string{"sh", "cat", "chown", "cut", "grep", "ln", "mkdir", "mktemp", "mv", "rm", "tail", "timeout"}

// host is a file tree that stands for a host with systemd and a running agent.
type host struct {
	root, bin string
	// path is where the scripts find programs.
	path string
}

// newHost makes a host whose agent starts with any configuration. Its tools are those of this machine, or else only shellTools.
func newHost(t *testing.T, debian bool) *host {
	t.Helper()

	h := &host{root: t.TempDir(), bin: t.TempDir()}
	h.path = h.bin

	if debian {
		h.path += ":/usr/sbin:/usr/bin:/sbin:/bin"
	} else {
		for _, name := range shellTools {
			path, err := exec.LookPath(name)
			require.NoError(t, err)
			require.NoError(t, os.Symlink(path, filepath.Join(h.bin, name)))
		}
	}

	require.NoError(t, os.WriteFile(filepath.Join(h.bin, "systemctl"), []byte(fakeSystemctl), 0o755))
	h.write(t, "", "log", "agent-user", systemdRuns+"/.keep", agentActive, "etc/zabbix/zabbix_agent2.conf")
	h.write(t, "0", "agent-status")
	h.write(t, saysValue, "agent-says")
	h.write(t, fakeAgent, agentProgram)

	return h
}

func (h *host) write(t *testing.T, content string, names ...string) {
	t.Helper()

	for _, name := range names {
		path := filepath.Join(h.root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	}
}

// installScript puts restart-agent where the package has it.
func (h *host) installScript(t *testing.T) {
	t.Helper()

	text, err := os.ReadFile("scripts/restart-agent.sh")
	require.NoError(t, err)
	h.write(t, string(text), restartAgent)
}

func (h *host) remove(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(filepath.Join(h.root, name)))
}

func (h *host) read(t *testing.T, name string) string {
	t.Helper()

	content, err := os.ReadFile(filepath.Join(h.root, name))
	require.NoError(t, err)

	return string(content)
}

// has tells whether a file, or a link to anything, is there.
func (h *host) has(name string) bool {
	_, err := os.Lstat(filepath.Join(h.root, name))

	return err == nil
}

// happened returns what changed on the host since the last call.
func (h *host) happened(t *testing.T) []string {
	t.Helper()

	var changes []string
	for line := range strings.Lines(h.read(t, "log")) {
		changes = append(changes, strings.TrimSuffix(line, "\n"))
	}

	h.write(t, "", "log")

	return changes
}

// run runs a program on the host and returns what it said.
func (h *host) run(t *testing.T, program string, arguments ...string) string {
	t.Helper()

	command := exec.Command(program, arguments...)
	command.Env = []string{"PATH=" + h.path, "HOST=" + h.root, "DPKG_ROOT=" + h.root, "LC_ALL=C", "TMPDIR=" + t.TempDir()}
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%s: %s", program, said)

	return string(said)
}
