package sandbox

import (
	"context"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/baddns"
)

func TestATestTellsWhatItWouldHaveDone(t *testing.T) {
	if !isInside() {
		circumstance{name: "here"}.again(t, "TestATestTellsWhatItWouldHaveDone")
		return
	}
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, stream(t, "{stream}stream { server { listen 127.0.0.1:28053 udp; return x; } }")+"user daemon daemon;",
			"server { listen 127.0.0.1:28080 reuseport; listen [::1]:28080; listen unix:{dir}/socket; } include sites/*.conf;")
		p.write(t, "sites/a.conf", "server { listen "+foreign4+":28081; access_log {dir}/kept.log; }")
		p.write(t, "kept.log", "lines")
		require.NoError(t, os.Mkdir(p.path("proxy"), 0o700))
		result := p.test(t, technique)

		require.Equal(t, []Bind{
			{Network: "udp", Address: netip.MustParseAddrPort("127.0.0.1:28053")},
			// Since 1.13.4 nginx does not ask for reuseport in a test.
			{Network: "tcp", Address: netip.MustParseAddrPort("127.0.0.1:28080")},
			{Network: "tcp", Address: netip.MustParseAddrPort("[::1]:28080")},
			{Network: "unix", Path: p.path("socket")},
			{Network: "tcp", Address: netip.MustParseAddrPort(foreign4 + ":28081"), Errno: "EADDRNOTAVAIL"},
		}, result.Binds)
		require.Contains(t, result.Reads, Read{Path: p.path("nginx.conf")})
		require.Contains(t, result.Reads, Read{Path: p.path("sites/a.conf")})
		require.Contains(t, result.Reads, Read{Path: p.path("sites"), Directory: true})
		uid, gid := uint32(os.Geteuid()), uint32(os.Getegid())
		require.Contains(t, result.Writes, Write{Path: p.path("kept.log"), Action: "open", Exists: true, OwnerUID: uid, OwnerGID: gid, OwnerMode: 0o644})
		require.Contains(t, result.Writes, Write{Path: p.path("access.log"), Action: "open"})
		require.Contains(t, result.Writes, Write{Path: p.path("scgi"), Action: "mkdir"})
		if uid == 0 {
			owner := uint32(1)
			require.Contains(t, result.Writes, Write{Path: p.path("proxy"), Action: "chown", Exists: true, OwnerMode: 0o700, UID: &owner})
			require.Contains(t, result.Writes, Write{Path: p.path("scgi"), Action: "chown", UID: &owner})
		}
		require.Positive(t, result.Notifications)
		require.Positive(t, result.DurationS)
		require.Positive(t, result.CPUS)
		require.Greater(t, result.MaxRSSBytes, uint64(1<<20))
		require.Less(t, result.MaxRSSBytes, uint64(1<<30))
	})
}

func TestAnOrdinaryUserJudgesAsRoot(t *testing.T) {
	if !isInside() {
		user := circumstance{name: "as an ordinary user"}
		if os.Geteuid() == 0 {
			user.uid = ordinaryUser
		}
		user.again(t, "TestAnOrdinaryUserJudgesAsRoot")
		return
	}
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, "pid /etc/none.pid;", "access_log /etc/passwd; proxy_cache_path /root/cache/some keys_zone=z:1m;"+listens("127.0.0.1:81", "[::1]:82"))
		command := p.command()
		command.AsRoot = true
		result, err := only(technique).Test(context.Background(), command)
		require.NoError(t, err)
		require.Contains(t, string(result.Output), good)
		require.Zero(t, result.ExitCode)
	})
}

func TestATestSharesTheNamespacesOfARunningNginx(t *testing.T) {
	if os.Geteuid() != 0 {
		_, err := New().Test(context.Background(), Command{Binary: "/bin/true", Namespaces: 1})
		require.ErrorContains(t, err, "cannot share the namespaces of process 1: ")
		return
	}
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, "", "upstream u { server "+knownName+"; server "+baddns.Name+"; } access_log {dir}/here/access.log;"+listens(hostAddress4+":28080"))
		pid := startElsewhere(t, p)
		result := p.test(t, technique)
		require.Contains(t, string(result.Output), "host not found in upstream", "here")

		command := p.command()
		command.Namespaces = pid
		before := p.tree(t)
		result, err := only(technique).Test(context.Background(), command)
		require.NoError(t, err)
		require.Contains(t, string(result.Output), good, "there")
		require.Equal(t, before, p.tree(t))
		require.Equal(t, []Bind{{Network: "tcp", Address: netip.MustParseAddrPort(hostAddress4 + ":28080")}}, result.Binds)
		require.Contains(t, result.Writes, Write{Path: p.path("here/access.log"), Action: "open"})
		_, err = asHelper(technique)(context.Background(), command)
		require.EqualError(t, err, "cannot enter nginx's network, which is another one than this process's: operation not permitted; "+
			"run this plugin in there, or as root with CAP_SYS_ADMIN")
		for _, name := range []string{"mnt", "net"} {
			require.Eventually(t, func() bool { return inOneNamespace(t, name) }, waitLimit, waitPause)
		}
	})
}

// startElsewhere starts a process whose host has other addresses, names and a directory {dir}/here.
func startElsewhere(t *testing.T, p *prefix) (pid int) {
	t.Helper()
	clean := func() {}
	t.Cleanup(func() { clean() })
	temporary := t.TempDir()
	return startFrom(t, func() (err error) {
		if clean, err = privateHost(temporary, baddns.Answers()); err != nil {
			return err
		}
		if err := unix.Mount("none", p.dir, "tmpfs", 0, "mode=0755"); err != nil {
			return err
		}
		if err := os.Mkdir(p.path("here"), 0o755); err != nil {
			return err
		}
		p.configure(t, "", "upstream u { server "+knownName+"; server "+baddns.Name+"; } access_log {dir}/here/access.log;"+listens(hostAddress4+":28080"))
		return nil
	})
}
