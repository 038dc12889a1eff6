package nginx

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/hazard"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// replaceByDouble puts the double of a version where the program of a running nginx was.
func replaceByDouble(t *testing.T, n *nginx.Nginx, version string) {
	t.Helper()

	program, err := os.ReadFile(badnginx.BuildT(t, version))
	require.NoError(t, err)

	// A double knows its version by its directory.
	path := filepath.Join(n.Dir(), version, "nginx")
	require.NoError(t, os.Mkdir(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, program, 0o755))
	require.NoError(t, os.Remove(n.Program()))
	require.NoError(t, os.Symlink(path, n.Program()))
}

func hazardOf(id hazard.ID, severity hazard.Severity, where, format string, args ...any) Hazard {
	return Hazard{
		ID: int(id), Name: id.String(), Severity: int(severity), SeverityName: severity.String(), Where: where,
		Sentence: fmt.Sprintf(format, args...),
	}
}

// migrateReqOff is the hint that this host gets where connections are taken.
func migrateReqOff(t *testing.T) []Hazard {
	t.Helper()

	text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req")
	if os.IsNotExist(err) || err == nil && strings.TrimSpace(string(text)) != "0" {
		return nil
	}

	require.NoError(t, err)

	return []Hazard{hazardOf(hazard.TCPMigrateReqOff, hazard.SeverityInfo, "", "net.ipv4.tcp_migrate_req is 0: connections that wait at "+
		"a listener are reset when it closes; set it to 1, which loses almost none, until nginx is upgraded")}
}

// The incident, seen before it happens: the version on disk is one that takes clients, and cron tests it.
func TestTheIncidentIsForeseen(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{OwnProgram: true, Workers: 2, ReusePort: true, Stream: []string{nginx.AnswerUDP}})
	replaceByDouble(t, n, badnginx.ThiefOfConnections)

	m := newMonitor(t)
	cron := filepath.Join(m.options.Root, "etc/cron.d/x")
	require.NoError(t, os.MkdirAll(filepath.Dir(cron), 0o755))
	require.NoError(t, os.WriteFile(cron, []byte("# every minute\n* * * * * root /usr/sbin/nginx -t -q || mail -s broken root\n"), 0o644))

	r := report(t, m, n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, "nginx/1.13.0", r.Product)
	require.True(t, r.BinaryReplaced)
	require.Equal(t, append([]Hazard{
		hazardOf(hazard.ReusePortTestStealsConnections, hazard.SeverityNow, "", "nginx/1.13.0 listens with reuseport on %s: an ordinary test "+
			"takes connections of clients and resets them; upgrade to nginx 1.13.4 or 1.12.2 at least, or take reuseport out", n.Addr()),
		hazardOf(hazard.UDPTestStealsDatagrams, hazard.SeverityNow, "", "nginx/1.13.0 listens for UDP on %s: an ordinary test "+
			"takes datagrams of clients; upgrade to nginx 1.21.1 at least", n.StreamAddr()),
		hazardOf(hazard.PlainTestScheduled, hazard.SeverityNow, "/etc/cron.d/x:2", "a cron job runs /usr/sbin/nginx -t; "+
			"take it out and use the test of this plugin"),
	}, migrateReqOff(t)...), r.Hazards)
	require.Equal(t, r.Hazards[0].ID, r.Hazard)
	require.Equal(t, r.Hazards[0].Name, r.HazardName)
	require.Equal(t, r.Hazards[0].Severity, r.HazardSeverity)
	require.Empty(t, r.SideEffects)
}

func TestARunningVersionThatTakesDatagramsIsNamed(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{Suite: nginx.Bullseye, Workers: 2, ReusePort: true, Stream: []string{nginx.AnswerUDP}})
	r := report(t, newMonitor(t), n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, []Hazard{
		hazardOf(hazard.UDPTestStealsDatagrams, hazard.SeverityNow, "", "nginx/1.18.0 listens for UDP on %s: an ordinary test "+
			"takes datagrams of clients; upgrade to nginx 1.21.1 at least", n.StreamAddr()),
	}, r.Hazards)
}

func TestAnotherUserWouldTakeTheDirectoriesOfARunningNginx(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{User: "www-data"})
	m := newMonitor(t)
	require.Empty(t, report(t, m, n).Hazards)

	before := snapshot(t, n.Dir())
	delete(before, n.ConfPath())
	require.NoError(t, n.Configure(nginx.Options{User: "daemon"}))

	r := report(t, m, n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, "changed", r.Test.Cause)

	if os.Geteuid() == 0 {
		require.Equal(t, []Hazard{hazardOf(hazard.TestWouldChownLiveDirectories, hazard.SeverityNow, "",
			"an ordinary test would give %[1]s/client_body, %[1]s/proxy, %[1]s/fastcgi and 2 more of the running nginx to user 1, and whom "+
				"they belong to now fails to write there; let the user directive be the running one's, or stop nginx first", n.Dir())}, r.Hazards)
	} else {
		require.Empty(t, r.Hazards, "only root's nginx changes its user")
	}

	after := snapshot(t, n.Dir())
	delete(after, n.ConfPath())
	require.Equal(t, before, after)
	require.Empty(t, r.SideEffects)
}

func TestWhatWouldHappenWhileNginxIsDownIsForeseen(t *testing.T) {
	t.Parallel()

	n := nginx.PrepareT(t, nginx.Options{Unix: true})
	m := newMonitor(t, instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()})

	// What an nginx that was killed leaves behind.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: n.SocketPath()})
	require.NoError(t, err)
	stale.SetUnlinkOnClose(false)
	require.NoError(t, stale.Close())

	r, err := m.Report(context.Background(), "edge")
	require.NoError(t, err)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, []Hazard{
		hazardOf(hazard.TestWouldOpenPorts, hazard.SeverityNow, "", "nobody listens on %s: an ordinary test would for a moment, and drop "+
			"the clients that come then; test without harm, or start nginx first", n.Addr()),
		hazardOf(hazard.StaleUnixSocket, hazard.SeverityNow, "", "nobody listens on the socket %s, which is there all the same: "+
			"every test passes, but nginx cannot start; remove it while nginx does not run", n.SocketPath()),
	}, r.Hazards)
	require.ErrorContains(t, n.Start(), "Address already in use")
}
