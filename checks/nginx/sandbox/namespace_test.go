package sandbox

import (
	"context"
	"os"
	gosyscall "syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

// startFrom starts a process from a thread of its own that is changed before, and released at the end of the test.
func startFrom(t *testing.T, change func() error) (pid int) {
	t.Helper()
	begun, release := make(chan error), make(chan struct{})
	thread.Start(func() {
		err := change()
		if err == nil {
			fake := fakeCommand("forever")
			attributes := &gosyscall.ProcAttr{Env: fake.Environment, Sys: &gosyscall.SysProcAttr{Pdeathsig: gosyscall.SIGKILL}}
			pid, err = gosyscall.ForkExec(fake.Binary, []string{fake.Binary}, attributes)
		}
		begun <- err
		<-release
	})
	err := <-begun
	t.Cleanup(func() {
		defer close(release)
		if err == nil {
			require.NoError(t, unix.Kill(pid, unix.SIGKILL))
			_, err := unix.Wait4(pid, nil, 0, nil)
			require.NoError(t, err)
		}
	})
	require.NoError(t, err)
	return pid
}

// testers make tests as whole root and as the root helper.
var testers = map[string]func(Technique) func(context.Context, Command) (*Result, error){
	"here":               func(technique Technique) func(context.Context, Command) (*Result, error) { return only(technique).Test },
	"as the root helper": asHelper,
}

func asEach(t *testing.T, test func(*testing.T, func(context.Context, Command) (*Result, error))) {
	t.Helper()
	for name, tester := range testers {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, technique Technique) { test(t, tester(technique)) })
		})
	}
}

// With PrivateTmp and the like a service has other files than this process, and the same network.
func TestATestIsMadeAmongTheMountsOfARunningNginx(t *testing.T) {
	if os.Geteuid() != 0 {
		_, err := New().Test(t.Context(), Command{Binary: "/bin/true", Namespaces: os.Getpid(), StartTicks: 1})
		require.ErrorContains(t, err, "it has ended, and another has its number")
		return
	}
	asEach(t, func(t *testing.T, test func(context.Context, Command) (*Result, error)) {
		p := newPrefix(t)
		p.configure(t, "", "no_such_directive;")
		pid := startFrom(t, func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return err
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return err
			}
			if err := unix.Mount("none", p.dir, "tmpfs", 0, "mode=0755"); err != nil {
				return err
			}
			// Links that lead where this process has nothing.
			links("", "here", p.path("here"), "link", "../../../../../../"+p.path("here"), "up", "", "fixed")(t, p)
			p.configure(t, "", "include {dir}/link/a.conf; access_log {dir}/up/access.log; proxy_cache_path {dir}/link/cache keys_zone=z:1m;"+listens("127.0.0.1:28080"))
			p.write(t, "here/a.conf", "error_log {dir}/fixed/error.log;")
			return unix.Mount("none", p.path("fixed"), "tmpfs", unix.MS_RDONLY, "")
		})
		command := p.command()
		command.Namespaces = pid
		result, err := test(context.Background(), command)
		require.NoError(t, err)
		require.Contains(t, string(result.Output), `open() "`+p.path("fixed/error.log")+`" failed (30: Read-only file system)`)
		require.Contains(t, result.Reads, Read{Path: p.path("link/a.conf")})
		require.Contains(t, result.Writes, Write{Path: p.path("fixed/error.log"), Action: "open", Errno: "EROFS"})
		require.Empty(t, result.Refusals)
	})
}

// A service whose unit takes capabilities from it fails where whole root would not.
func TestATestMayNoMoreThanTheRunningNginx(t *testing.T) {
	if os.Geteuid() != 0 {
		p := newPrefix(t)
		p.configure(t, "", listens("127.0.0.1:28080"))
		command := p.command()
		command.Namespaces = os.Getpid()
		result, err := New().Test(t.Context(), command)
		require.NoError(t, err)
		require.Contains(t, string(result.Output), good, "who may enter no other namespaces is in his own")
		return
	}
	lower := func() error {
		for _, capability := range []uintptr{unix.CAP_NET_BIND_SERVICE, unix.CAP_DAC_OVERRIDE, unix.CAP_CHOWN} {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
				return err
			}
		}
		return nil
	}
	pid := startFrom(t, lower)
	for _, c := range []verdictCase{
		{name: "a privileged port", main: "user root;", http: listens("127.0.0.1:81"), says: "failed (13: Permission denied)"},
		{name: "a log of another user", main: "user root;", http: "access_log {dir}/theirs/kept.log;", arrange: theirs, says: "failed (13: Permission denied)"},
		{name: "a directory of another user", main: "user root;", http: "access_log {dir}/theirs/new.log;", arrange: theirs, says: "failed (13: Permission denied)"},
		{name: "what belongs to root", main: "user root;", http: listens("127.0.0.1:28080"), says: good},
		{name: "directories to give away", main: "user daemon;", arrange: directory("proxy", 0o700), says: "failed (1: Operation not permitted)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asEach(t, func(t *testing.T, test func(context.Context, Command) (*Result, error)) {
				p := newPrefix(t)
				p.configure(t, c.main, c.http)
				if c.arrange != nil {
					c.arrange(t, p)
				}
				command := p.command()
				command.Namespaces = pid
				result, err := test(context.Background(), command)
				require.NoError(t, err)
				var ordinary said
				require.NoError(t, thread.Run(func() error {
					err := lower()
					ordinary = p.ordinary(t)
					return err
				}))
				require.Equal(t, ordinary, saidOf(result))
				require.Contains(t, ordinary.output, c.says)
			})
		})
	}
}
