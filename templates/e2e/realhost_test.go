//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// soon are macros that let triggers come and go in seconds.
var soon = map[string]string{
	"{$SITE.RESETS.WINDOW}": "5s", "{$NGINX.STATE.FOR}": "3s", "{$NGINX.STOPPED.FOR}": "3s", "{$NGINX.FOREIGNERS.WINDOW}": "3s", "{$NGINX.RELOAD.PENDING.MAX}": "3s",
	"{$PLUGIN.WINDOW}": "30s", "{$KMEM.RECOVERY.RATIO}": "1",
}

// realHost is a real agent with the plugin and with what it looks at.
type realHost struct {
	id        string
	agent     *zabbixagent.Agent
	nginx     *nginx.Nginx
	sites     map[string]*badsite.Server
	leak      leak
	leakBytes int
	thief     net.Listener
}

func newRealHost(t *testing.T, s *zabbixserver.Server) *realHost {
	t.Helper()
	h := &realHost{nginx: nginx.StartT(t, nginx.Options{ReusePort: true}), sites: map[string]*badsite.Server{
		"down": badsite.StartT(t, badsite.OK()), "robbed": badsite.StartT(t, badsite.OK()), "cert": badsite.StartT(t, badsite.OKOverTLS()),
	}}
	lines := []string{"Plugins.Hosting.Nginx.web.Binary=" + h.nginx.Program(), "Plugins.Hosting.Nginx.web.Config=" + h.nginx.ConfPath(), "Plugins.Hosting.Nginx.web.Prefix=" + h.nginx.Dir()}
	for name, site := range h.sites {
		option := "Plugins.Hosting.Sites." + name + "."
		lines = append(lines, option+"URL="+site.URL(), option+"Interval=300ms", option+"VerifyCertificate=false")
	}
	h.agent = zabbixagent.StartT(t, zabbixagent.Options{Version: s.Version(), Plugin: pluginBinary(t), Timeout: 10, Lines: lines})
	t.Cleanup(h.leak.end)

	host := zabbixapi.Host{Name: "real", Agent: h.agent.Address(), Macros: map[string]string{
		"{$NGINX.LLD.FILTER.INSTANCE.MATCHES}": "^web$", "{$KMEM.SUNRECLAIM.PCT.MAX.WARN}": h.leakLimit(t),
	}}
	maps.Copy(host.Macros, soon)
	for _, f := range ofHosts(files(t, s.Version())) {
		require.NoError(t, s.API().ImportTemplates(hasty(t, f)))
		host.Templates = append(host.Templates, f.templates...)
	}
	var err error
	h.id, err = s.API().CreateHost(host)
	require.NoError(t, err)
	require.NoError(t, s.API().SpeedUp(h.id, "1s"))
	return h
}

// minutes are the windows of kernel memory that no macro shortens.
var minutes = regexp.MustCompile(`(min|max)\((/[^,]*/kmem\.sunreclaim\.pct),5m\)`)

// hasty is a file with those windows shortened.
func hasty(t *testing.T, f file) string {
	t.Helper()
	shortened := minutes.ReplaceAllString(f.text, "$1($2,3s)")
	require.Equal(t, f.name == memoryFile, shortened != f.text)
	return shortened
}

// leakLimit is the share of RAM in percent that a leak of leakBytes will exceed, which it chooses: 0.4 % more than now.
func (h *realHost) leakLimit(t *testing.T) string {
	t.Helper()
	now, err := h.agent.Get("hosting.memory.sunreclaim[pused]")
	require.NoError(t, err)
	share, err := strconv.ParseFloat(now, 64)
	require.NoError(t, err)
	var info unix.Sysinfo_t
	require.NoError(t, unix.Sysinfo(&info))
	h.leakBytes = int(float64(info.Totalram) * float64(info.Unit) * 0.004)
	return fmt.Sprintf("%.2f", share+0.2)
}

// killWorker ends the process in which the checks run.
func (h *realHost) killWorker(t *testing.T) {
	t.Helper()
	killed := 0
	for _, pid := range h.agent.PluginPIDs() {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		require.NoError(t, err)
		if strings.Contains(string(command), "worker") {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			killed++
		}
	}
	require.Equal(t, 1, killed)
}

// steal has this process listen where nginx does.
func (h *realHost) steal(t *testing.T) {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return err
	}}
	var err error
	h.thief, err = config.Listen(t.Context(), "tcp4", h.nginx.Addr())
	require.NoError(t, err)
}
