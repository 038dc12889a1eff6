package nginx

import (
	"fmt"
	"os"
	"os/exec" //nolint:depguard // nginx is started among other mounts, and a test starts itself under other circumstances.
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
	"zabbix-agent2-plugin-hosting/checks/thread"
	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// reportOfHelper is the report of a process in the place of the root helper, whose own /tmp has none of the files.
func reportOfHelper(t *testing.T, task childTask) *Report {
	t.Helper()

	task.Helper, task.Timeout = true, time.Minute

	return inChild(t, task, nil).Report
}

// lasting is what two reports of one moment have in common.
func lasting(r *Report) Report {
	same := *r
	same.StartedAt, same.ReloadPendingS = 0, 0

	if r.Test != nil {
		test := *r.Test
		test.At, test.AgeS, test.DurationS, test.CPUS, test.MaxRSSBytes, test.During = 0, 0, 0, 0, 0, During{}
		test.Output = stamps.ReplaceAllString(test.Output, "$1")
		same.Test = &test
	}

	return same
}

// stamps are the times and the numbers of processes at the start of lines.
var stamps = regexp.MustCompile(`(?m)^[0-9/]+ [0-9:]+ (\[\w+\]) \d+#\d+:`)

// needsRoot is false for ordinary users, who cannot put anything in the place of the helper.
func needsRoot(t *testing.T) bool {
	t.Helper()

	if os.Geteuid() == 0 {
		return true
	}

	require.ErrorContains(t, apart.AsHelper(func() error { return nil }), "run the test as root")

	return false
}

func TestTheHelperReportsWhatWholeRootReports(t *testing.T) {
	t.Parallel()

	if !needsRoot(t) {
		return
	}

	for name, test := range map[string]struct {
		options nginx.Options
		// change is what happens to the files before the report.
		change  func(*testing.T, *nginx.Nginx)
		stopped bool
		want    State
	}{
		"a running nginx": {
			options: nginx.Options{User: "www-data", Workers: 2, ReusePort: true, Unix: true, TLS: true, Stream: []string{nginx.AnswerUDP}}, want: StateValid,
		},
		"a version that takes datagrams": {
			options: nginx.Options{Suite: nginx.Bullseye, ReusePort: true, Stream: []string{nginx.AnswerUDP}}, want: StateValid,
		},
		"a fault": {
			change: configure(nginx.Options{Main: []string{"no_such_directive on;"}}), want: StateInvalid,
		},
		"a warning": {
			change: configure(nginx.Options{HTTP: []string{"server { listen {port2}; server_name a; } server { listen {port2}; server_name a; }"}}), want: StateValidWithWarnings,
		},
		"an address that the host lacks": {
			change: configure(nginx.Options{HTTP: []string{"server { listen 192.0.2.1:80; }"}}), want: StateEnvironment,
		},
		"a privileged port, and files of other users": {
			change: func(t *testing.T, n *nginx.Nginx) {
				t.Helper()

				theirs := filepath.Join(n.Dir(), "theirs")
				require.NoError(t, os.Mkdir(theirs, 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(theirs, "kept.log"), nil, 0o600))

				for _, path := range []string{filepath.Join(theirs, "kept.log"), theirs, filepath.Join(n.Dir(), "tls.key")} {
					require.NoError(t, os.Chown(path, ordinaryUser, ordinaryUser))
				}

				configure(nginx.Options{TLS: true, User: "www-data", HTTP: []string{
					"server { listen 127.0.0.1:81; access_log {dir}/theirs/kept.log; error_log {dir}/theirs/new.log; } proxy_cache_path {dir}/theirs/cache keys_zone=z:1m;",
				}})(t, n)
			},
			options: nginx.Options{TLS: true, User: "www-data"}, want: StateValid,
		},
		"a log that nobody can make": {
			change: configure(nginx.Options{HTTP: []string{"access_log /sys/kernel/none.log;"}}), want: StateEnvironment,
		},
		"a configuration that others may write": {
			change: func(t *testing.T, n *nginx.Nginx) { t.Helper(); require.NoError(t, os.Chmod(n.ConfPath(), 0o666)) }, want: StateUnsafeRefused,
		},
		"another user for live directories": {
			options: nginx.Options{User: "www-data"}, change: configure(nginx.Options{User: "daemon"}), want: StateValid,
		},
		"an nginx that does not run": {options: nginx.Options{Unix: true}, stopped: true, want: StateValid},
	} {
		// One after the other: what others test at the same time is sensitive to load.
		t.Run(name, func(t *testing.T) {
			n := nginx.PrepareT(t, test.options)
			if !test.stopped {
				require.NoError(t, n.Start())
			}

			settled()

			if test.change != nil {
				test.change(t, n)
			}

			settled()

			root := schedules(t)
			edge := instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()}
			task := childTask{Instance: "edge", Configured: []instance.Configured{edge}, Directory: root}
			before := snapshot(t, n.Dir())
			helpers := reportOfHelper(t, task)
			require.Equal(t, before, snapshot(t, n.Dir()))

			task.Timeout = time.Minute
			roots := inChild(t, task, nil).Report
			require.Equal(t, test.want, roots.State, roots.Sentence)
			require.Equal(t, lasting(roots), lasting(helpers))
			require.Empty(t, helpers.SideEffects)
			require.Empty(t, helpers.Problems)
		})
	}
}

func configure(o nginx.Options) func(*testing.T, *nginx.Nginx) {
	return func(t *testing.T, n *nginx.Nginx) {
		t.Helper()
		require.NoError(t, n.Configure(o))
	}
}

// schedules is a root directory whose tables only their owners and root may read.
func schedules(t *testing.T) (root string) {
	t.Helper()

	root = t.TempDir()
	for path, text := range map[string]string{
		"etc/sudoers":                "zabbix ALL=(root) NOPASSWD: /usr/sbin/nginx -t\n",
		"var/spool/cron/crontabs/me": "* * * * * nginx -t\n",
	} {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o440))
		require.NoError(t, os.Chown(path, ordinaryUser, ordinaryUser))
	}

	return root
}

// startAmong starts an nginx whose directory has other files for it than for everybody else.
func startAmong(t *testing.T, n *nginx.Nginx, flags int, arrange func() error) (pid int) {
	t.Helper()

	var command *exec.Cmd

	started, release := make(chan error), make(chan struct{})

	thread.Start(func() {
		err := unix.Unshare(unix.CLONE_NEWNS | flags)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}

		if err == nil && flags&unix.CLONE_NEWNET != 0 {
			err = loopbackUp()
		}

		if err == nil {
			err = unix.Mount("none", n.Dir(), "tmpfs", 0, "mode=0755")
		}

		if err == nil {
			err = arrange()
		}

		if err == nil {
			command = exec.Command(n.Program(), n.Arguments()...)
			err = command.Start()
		}

		started <- err
		<-release
	})

	err := <-started
	t.Cleanup(func() {
		defer close(release)

		if err == nil {
			require.NoError(t, command.Process.Signal(unix.SIGTERM))
			require.NoError(t, command.Wait())
		}
	})
	require.NoError(t, err)

	return command.Process.Pid
}

// As with PrivateTmp and the like: a file that root wrote, and a link that leads nowhere from here.
func TestAnNginxWithMountsOfItsOwnIsTestedAmongThem(t *testing.T) {
	t.Parallel()

	if !needsRoot(t) {
		return
	}

	n := nginx.PrepareT(t, nginx.Options{Main: []string{"no_such_directive;"}})
	linked := filepath.Join(n.Dir(), "linked")
	pid := startAmong(t, n, 0, func() error {
		err := n.Configure(nginx.Options{HTTP: []string{"include {dir}/link/*.conf;"}})
		if err == nil {
			err = os.Mkdir(linked, 0o755)
		}

		if err == nil {
			err = os.WriteFile(filepath.Join(linked, "a.conf"), []byte("# nothing\n"), 0o644)
		}

		if err == nil {
			err = os.Symlink(linked, filepath.Join(n.Dir(), "link"))
		}

		return err
	})

	m := newMonitor(t)
	settled()

	r := instanceOf(t, m, n.ConfPath())
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, pid, r.Master.PID)
	require.Empty(t, r.SideEffects)

	task := childTask{Instance: n.ConfPath(), Directory: t.TempDir()}
	helpers := reportOfHelper(t, task)
	require.Equal(t, StateValid, helpers.State, helpers.Sentence)
	require.Empty(t, helpers.Problems)
	require.Equal(t, lasting(r).Test, lasting(helpers).Test)

	// A change there is seen, one that only others see is not.
	require.NoError(t, os.WriteFile(n.ConfPath(), []byte("worse"), 0o644))
	require.Equal(t, uint64(1), instanceOf(t, m, n.ConfPath()).Tests)

	theirs := tree.Of("/proc", pid)
	require.NoError(t, theirs.Do(func() {
		require.NoError(t, os.WriteFile(filepath.Join(linked, "a.conf"), []byte("no_such_directive;\n"), 0o644))
	}))
	settled()
	rested(m, n)

	r = instanceOf(t, m, n.ConfPath())
	require.Equal(t, StateInvalid, r.State, r.Sentence)
	require.Equal(t, filepath.Join(n.Dir(), "link", "a.conf"), r.Test.ChangedFile)
	require.Equal(t, StateInvalid, reportOfHelper(t, task).State)

	// What others can write there is not run, though here it is root's alone.
	require.NoError(t, theirs.Do(func() { require.NoError(t, os.Chown(linked, ordinaryUser, ordinaryUser)) }))
	require.NoError(t, os.Mkdir(linked, 0o755))

	r = reportOfHelper(t, task)
	require.Equal(t, StateUnsafeRefused, r.State, r.Sentence)
	require.Contains(t, r.Sentence, linked+" belongs to another user")
}

func TestAnNginxInAnotherNetworkIsNotTestedByTheHelper(t *testing.T) {
	t.Parallel()

	if !needsRoot(t) {
		return
	}

	n := nginx.PrepareT(t, nginx.Options{})
	startAmong(t, n, unix.CLONE_NEWNET, func() error { return n.Configure(nginx.Options{}) })

	r := instanceOf(t, newMonitor(t), n.ConfPath())
	require.Equal(t, StateValid, r.State, r.Sentence)

	r = reportOfHelper(t, childTask{Instance: n.ConfPath()})
	require.Equal(t, StateNotTested, r.State)
	require.Equal(t, "cannot enter nginx's network, which is another one than this process's: operation not permitted; "+
		"run this plugin in there, or as root with CAP_SYS_ADMIN", r.Sentence)
	require.Empty(t, r.Problems)
	require.Empty(t, r.Foreigners)
	require.Empty(t, r.SideEffects)
}

// What the helper may not raise says nothing of the configuration.
func TestALimitOfTheHelperIsNotTheConfigurationsFault(t *testing.T) {
	t.Parallel()

	if !needsRoot(t) {
		return
	}

	var logs strings.Builder
	for i := range 300 {
		fmt.Fprintf(&logs, "access_log {dir}/%d.log;\n", i)
	}

	n := nginx.PrepareT(t, nginx.Options{Server: []string{logs.String()}})
	edge := instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()}

	r := reportOfHelper(t, childTask{Instance: "edge", Configured: []instance.Configured{edge}, OpenFiles: 128})
	require.Equal(t, StateNotTested, r.State, r.Sentence)
	require.Contains(t, r.Sentence, "the test could open 128 files and the service may open more: raise the limit of what tests (LimitNOFILE=)")

	r = reportOfHelper(t, childTask{Instance: "edge", Configured: []instance.Configured{edge}, OpenFiles: 4096})
	require.Equal(t, StateValid, r.State, r.Sentence)
}

// A program that tells nothing of itself unless it is run is run where it lies, and changes nothing there.
func TestTheHelperAsksAProgramWhatItIs(t *testing.T) {
	t.Parallel()

	if !needsRoot(t) {
		return
	}

	n := nginx.PrepareT(t, nginx.Options{})
	marker, wrapper := filepath.Join(n.Dir(), "ran"), filepath.Join(n.Dir(), "wrapper")
	script := fmt.Sprintf("#!/bin/sh\ntouch %s\ngrep -q '^CapEff:.*0004$' /proc/self/status || exit 7\nexec %s \"$@\"\n", marker, n.Program())
	require.NoError(t, os.WriteFile(wrapper, []byte(script), 0o755))

	edge := instance.Configured{Name: "edge", Binary: wrapper, Config: n.ConfPath(), Prefix: n.Dir()}
	r := reportOfHelper(t, childTask{Instance: "edge", Configured: []instance.Configured{edge}})
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, "nginx/1.22.1", r.Product)
	require.NoFileExists(t, marker)
}
