package nginx

import (
	"context"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // a test starts what others may have running.
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/testenv/child"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// runForOthers has an ordinary user run a program under a title, where this is root.
func runForOthers(t *testing.T, program string, arguments ...string) {
	t.Helper()

	command := &exec.Cmd{Path: program, Args: arguments, SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}}
	if os.Geteuid() == 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}
	}

	exited, err := child.Start(command)
	require.NoError(t, err)
	t.Cleanup(func() {
		// A master has its workers end first.
		_ = syscall.Kill(command.Process.Pid, syscall.SIGTERM)
		<-exited
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	})
}

// instanceOf waits until an instance is found, and reports on it.
func instanceOf(t *testing.T, m *Monitor, name string) *Report {
	t.Helper()

	var r *Report

	require.Eventually(t, func() bool {
		m.mu.Lock()
		m.found = nil
		m.mu.Unlock()

		var err error
		r, err = m.Report(context.Background(), name)

		return err == nil && !r.TestRunning
	}, 10*time.Second, 10*time.Millisecond)

	return r
}

// Everybody chooses the title of his processes: a shell that calls itself nginx had root run `sh -c` with what stood there.
func TestNoProgramIsRunBecauseItCallsItselfNginx(t *testing.T) {
	t.Parallel()

	shell, err := filepath.EvalSymlinks("/bin/sh")
	require.NoError(t, err)

	said := fmt.Sprintf("said-by-%d", os.Getpid())
	name := "/bin/true; echo " + said + " >&2"
	runForOthers(t, shell, fmt.Sprintf("nginx: master process %s -c %s", shell, name), "-c", "sleep 60; true")

	r := instanceOf(t, newMonitor(t), name)
	require.Contains(t, []State{StateNotTested, StateUnsafeRefused}, r.State, r.Sentence)
	require.NotEmpty(t, r.Sentence)

	if r.Test != nil {
		require.NotContains(t, r.Test.Output, said)
	}
}

// Zabbix made items and triggers for whatever a process called itself.
func TestAnInstanceOfAnybodysIsToldApart(t *testing.T) {
	t.Parallel()

	shell, err := filepath.EvalSymlinks("/bin/sh")
	require.NoError(t, err)

	name := fmt.Sprintf("/tmp/anybodys-%d", os.Getpid())
	runForOthers(t, shell, fmt.Sprintf("nginx: master process %s -c %s", shell, name), "-c", "sleep 60; true")

	m := newMonitor(t)
	instanceOf(t, m, name)

	rows, err := m.Discover(context.Background())
	require.NoError(t, err)

	at := slices.IndexFunc(rows, func(row Discovered) bool { return row.Instance == name })
	require.GreaterOrEqual(t, at, 0)
	// Without a second user this process's own is trusted.
	require.Equal(t, flag(os.Geteuid() != 0), rows[at].Trusted)
	require.Equal(t, "0", rows[at].Container)
}

// An ordinary user's nginx may say -g 'load_module ...': what it loads would run as root. That an administrator has named
// the instance does not make its processes his.
func TestDirectivesOfAnOrdinaryUsersCommandLineAreNotRunAsRoot(t *testing.T) {
	t.Parallel()

	for name, configured := range map[string]bool{"an instance that was found": false, "one that is configured": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			n, theirs := prepareForOthers(t)
			module := filepath.Join(theirs, "module.so")
			text, err := os.ReadFile(filepath.Join(modulesOf(t), "ngx_stream_module.so"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(module, text, 0o644))
			runForOthers(t, n.Program(), n.Program(), "-p", n.Dir(), "-e", "stderr", "-c", n.ConfPath(), "-g", "load_module "+module+";")

			instanceName, m := n.ConfPath(), newMonitor(t)
			if configured {
				instanceName = "edge"
				m = newMonitor(t, instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()})
			}

			require.Eventually(t, func() bool { return masterOf(m, instanceName) != nil }, 10*time.Second, 10*time.Millisecond)

			r := instanceOf(t, m, instanceName)
			require.NotNil(t, r.Master)
			require.Equal(t, os.Geteuid() != 0, loads(m, instanceName, module), "%s: %s", r.StateName, r.Sentence)
			require.Equal(t, os.Geteuid() == 0 && !configured, r.State == StateUnsafeRefused, "%s: %s", r.StateName, r.Sentence)
		})
	}
}

// prepareForOthers is a configuration that an ordinary user may run, with a directory of theirs.
func prepareForOthers(t *testing.T) (n *nginx.Nginx, theirs string) {
	t.Helper()

	n = nginx.PrepareT(t, nginx.Options{Whole: `daemon off;
pid {dir}/theirs/nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path {dir}/theirs/a;
	proxy_temp_path {dir}/theirs/b;
	fastcgi_temp_path {dir}/theirs/c;
	uwsgi_temp_path {dir}/theirs/d;
	scgi_temp_path {dir}/theirs/e;
	server { listen 127.0.0.1:{port}; }
}
`})
	theirs = filepath.Join(n.Dir(), "theirs")
	require.NoError(t, os.Mkdir(theirs, 0o755))

	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(theirs, ordinaryUser, ordinaryUser))
	}

	return n, theirs
}

// masterOf is the master that an instance has now.
func masterOf(m *Monitor, name string) *instance.Master {
	m.mu.Lock()
	m.found = nil
	m.mu.Unlock()

	i, err := m.choose(context.Background(), name)
	if err != nil {
		return nil
	}

	return i.Master
}

// loads tells whether the last test of an instance has read a file.
func loads(m *Monitor, name, path string) bool {
	w := m.of(name)
	w.mu.Lock()
	defer w.mu.Unlock()

	return slices.ContainsFunc(w.last.fingerprint.stamps, func(s stamp) bool { return s.path == path })
}

func modulesOf(t *testing.T) string {
	t.Helper()

	build, err := nginx.InstallSuite(nginx.Bookworm)
	require.NoError(t, err)

	return build.Modules
}
