package instance

import (
	"fmt"
	"os"
	"os/exec" //nolint:depguard // a test starts nginx as an administrator would.
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

// realNginx is a running nginx in a directory of its own, started with any options.
type realNginx struct {
	dir, config, binary string
}

// startReal starts Debian's nginx with a configuration file that holds directives.
func startReal(t *testing.T, directives string, environment []string, arguments ...string) realNginx {
	t.Helper()

	binary, err := nginx.Install()
	require.NoError(t, err)

	dir, err := program.Dir("nginx")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })

	n := realNginx{dir: dir, config: filepath.Join(dir, "my nginx.conf"), binary: binary}
	require.NoError(t, program.WriteFiles(dir, map[string]string{"my nginx.conf": n.conf(directives)}))

	for i := range arguments {
		arguments[i] = strings.ReplaceAll(arguments[i], "DIR", dir)
	}

	command := exec.Command(binary, arguments...)
	command.Dir, command.Env = dir, environment

	process, err := program.Run(command, filepath.Join(dir, "console"))
	require.NoError(t, err)
	t.Cleanup(func() {
		n.stop(t)
		require.NoError(t, process.Stop())
	})

	// With "daemon on" the process that was started ends before or after its child has written the file.
	require.Eventually(t, func() bool { return n.pid() > 0 }, 20*time.Second, 10*time.Millisecond, process.Output())

	return n
}

func (n realNginx) conf(directives string) string {
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, n.dir, kind)
	}

	// Nobody else needs its socket.
	return fmt.Sprintf("%s\npid %s/pid;\nerror_log %s/error.log;\nevents {}\nhttp {\naccess_log off;\n%sserver { listen unix:%s/socket; }\n}\n",
		directives, n.dir, n.dir, temp, n.dir)
}

// pid is the master's, 0 as long as it has not written it.
func (n realNginx) pid() int {
	text, _ := os.ReadFile(filepath.Join(n.dir, "pid"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))

	return pid
}

// stop ends a master that has left its group.
func (n realNginx) stop(t *testing.T) {
	t.Helper()

	pid := n.pid()
	if pid == 0 || unix.Kill(pid, unix.SIGTERM) != nil {
		return
	}

	// It removes the file last.
	require.Eventually(t, func() bool { return n.pid() == 0 }, 20*time.Second, 10*time.Millisecond)
}

// findReal finds the instance of a master with so many workers.
func findReal(t *testing.T, f *Finder, pid, workers int) Instance {
	t.Helper()

	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		i := findMaster(t, f, pid)
		if i == nil || len(i.Master.Workers) != workers {
			continue
		}

		if !slices.ContainsFunc(i.Master.Workers, func(w Worker) bool { return w.Kind != KindWorker }) {
			return *i
		}
	}

	require.Fail(t, "no such instance")

	return Instance{}
}

// findMaster finds the instance of a master.
func findMaster(t *testing.T, f *Finder, pid int) *Instance {
	t.Helper()

	found, err := f.Find(t.Context())
	require.NoError(t, err)

	for _, i := range found.Instances {
		if i.Master != nil && i.Master.PID == pid {
			return &i
		}
	}

	return nil
}

func TestRealInstancesAreFound(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		directives string
		arguments  []string
		workers    int
		want       Arguments
		prefix     string
	}{
		"one in the foreground": {
			directives: "daemon off;", arguments: []string{"-c", "DIR/my nginx.conf"}, workers: 1,
			want: Arguments{Config: "DIR/my nginx.conf"}, prefix: "/usr/share/nginx",
		},
		"one in the background": {
			arguments: []string{"-c", "DIR/my nginx.conf", "-e", "DIR/error.log"}, workers: 1,
			want: Arguments{Config: "DIR/my nginx.conf", ErrorLog: "DIR/error.log"}, prefix: "/usr/share/nginx",
		},
		"one with directives that hold blanks, before other options": {
			arguments: []string{"-g", "daemon off; worker_processes 2;", "-p", "DIR/", "-c", "my nginx.conf"}, workers: 2,
			want:   Arguments{Config: "my nginx.conf", Prefix: "DIR/", Directives: "daemon off; worker_processes 2;"},
			prefix: "DIR/",
		},
		"one with a relative prefix": {
			directives: "daemon off;", arguments: []string{"-p", ".", "-c", "my nginx.conf"}, workers: 1,
			want: Arguments{Config: "my nginx.conf", Prefix: "."}, prefix: "DIR",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			before := time.Now()
			n := startReal(t, test.directives, nil, test.arguments...)
			i := findReal(t, NewFinder("/proc", nil, NewBuilds(nil)), n.pid(), test.workers)

			for _, text := range []*string{&test.want.Config, &test.want.Prefix, &test.want.ErrorLog, &test.prefix} {
				*text = strings.ReplaceAll(*text, "DIR", n.dir)
			}

			require.Equal(t, n.config, i.Config)
			require.Equal(t, n.config, i.Name)
			require.Equal(t, test.want, i.Arguments)
			require.Equal(t, test.prefix, i.Prefix)
			require.Equal(t, n.binary, i.Binary)
			require.Equal(t, "1.22.1", i.Build.Version.String())
			require.Empty(t, i.Problems)

			m := i.Master
			require.Equal(t, os.Geteuid(), m.UID)
			require.Equal(t, Root{Dir: "/", Known: true}, m.Root)
			require.True(t, m.MountNS.Known && m.NetNS.Known)
			require.False(t, m.MountNS.Differs || m.NetNS.Differs || m.Deleted || m.BinaryFromTitle || m.ArgumentsCut)
			require.Positive(t, m.OpenFiles)
			require.WithinDuration(t, before, m.StartedAt, time.Minute)

			for _, worker := range m.Workers {
				require.Equal(t, KindWorker, worker.Kind)
				require.False(t, worker.StartedAt.Before(m.StartedAt))
			}
		})
	}
}

func TestASecondInstanceChangesNothingOfTheFirst(t *testing.T) {
	t.Parallel()

	f := NewFinder("/proc", nil, NewBuilds(nil))
	first := nginx.StartT(t, nginx.Options{})
	before := findReal(t, f, first.PID(), 1)

	second := nginx.StartT(t, nginx.Options{})
	require.NotEqual(t, before.Name, findReal(t, f, second.PID(), 1).Name)

	after := findReal(t, f, first.PID(), 1)
	require.WithinDuration(t, before.Master.StartedAt, after.Master.StartedAt, time.Second)
	after.Master.StartedAt = before.Master.StartedAt
	after.Master.Workers[0].StartedAt = before.Master.Workers[0].StartedAt
	require.Equal(t, before, after)
}

func TestAReloadIsSeenByItsWorkers(t *testing.T) {
	t.Parallel()

	f := NewFinder("/proc", nil, NewBuilds(nil))
	n := nginx.StartT(t, nginx.Options{})
	before := findReal(t, f, n.PID(), 1).Master.Workers[0]
	written := time.Now()

	require.NoError(t, n.Reload(nginx.Options{}))

	after := findReal(t, f, n.PID(), 1).Master.Workers[0]
	require.NotEqual(t, before.PID, after.PID)
	// A tick is 10 ms.
	require.True(t, after.StartedAt.After(written.Add(-20*time.Millisecond)))
}

func TestAnUpgradeOfTheProgramLeavesOneInstance(t *testing.T) {
	t.Parallel()

	f := NewFinder("/proc", nil, NewBuilds(nil))
	n := nginx.StartT(t, nginx.Options{Daemon: true})
	old := n.PID()
	before := findReal(t, f, old, 1)

	successor, err := n.BeginUpgrade()
	require.NoError(t, err)

	during := findReal(t, f, successor, 1)
	require.Equal(t, before.Name, during.Name)
	require.Equal(t, []int{old}, during.OtherMasters)
	require.NotEqual(t, before.Master.Workers[0].PID, during.Master.Workers[0].PID)

	require.NoError(t, n.FinishUpgrade())

	after := findReal(t, f, n.PID(), 1)
	require.Equal(t, before.Name, after.Name)
	require.Empty(t, after.OtherMasters)
}

func TestAReplacedProgramIsNoticed(t *testing.T) {
	t.Parallel()

	f := NewFinder("/proc", nil, NewBuilds(nil))
	n := nginx.StartT(t, nginx.Options{OwnProgram: true})
	require.False(t, findReal(t, f, n.PID(), 1).Master.Deleted)

	require.NoError(t, os.Remove(n.Program()))

	i := findReal(t, f, n.PID(), 1)
	require.True(t, i.Master.Deleted)
	require.False(t, i.Master.Replaced)
	require.Equal(t, "1.22.1", i.Build.Version.String(), "that of the running one")

	writeProgram(t, n.Program(), "nginx-1.24.0-ubuntu")

	i = findReal(t, f, n.PID(), 1)
	require.Equal(t, n.Program(), i.Binary)
	require.True(t, i.Master.Deleted)
	require.True(t, i.Master.Replaced)
	require.Equal(t, "1.24.0", i.Build.Version.String(), "that of the new one")
}

func TestATitleWithoutRoomIsSaidToBeCut(t *testing.T) {
	t.Parallel()

	// The title takes the room of the environment.
	n := startReal(t, "daemon off;", []string{}, "-c", "DIR/my nginx.conf")
	i := findMaster(t, NewFinder("/proc", nil, NewBuilds(nil)), n.pid())
	require.True(t, i.Master.ArgumentsCut)
	require.Equal(t, n.binary, i.Binary)
}

func TestAnOrdinaryUserFindsRootsMaster(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	f := NewFinder("/proc", nil, NewBuilds(nil))
	asRoot := findReal(t, f, n.PID(), 1)

	if os.Geteuid() != 0 {
		// Who starts it himself may look at it.
		require.False(t, asRoot.Master.BinaryFromTitle)

		return
	}

	apart.AsNobody(t, func() {
		i := findMaster(t, f, asRoot.Master.PID)
		require.Equal(t, []string{fmt.Sprintf("cannot see the program of process %d (permission denied), "+
			"so its title is believed; run as root", asRoot.Master.PID)}, i.Problems)
		require.True(t, i.Master.BinaryFromTitle)
		require.False(t, i.Master.MountNS.Known || i.Master.NetNS.Known)
		require.Equal(t, Root{Known: true}, i.Master.Root)
		require.Equal(t, asRoot.Name, i.Name, "the name does not depend on who asks")
		require.Equal(t, asRoot.Binary, i.Binary)
		require.Equal(t, asRoot.Arguments, i.Arguments)
		require.Equal(t, asRoot.Master.UID, i.Master.UID)
		require.Equal(t, asRoot.Master.OpenFiles, i.Master.OpenFiles)
		require.Equal(t, asRoot.Master.Unit, i.Master.Unit)
	})
}

func TestTheRealProgramsFilesTellWhatTheyPrint(t *testing.T) {
	t.Parallel()

	for _, suite := range nginx.Suites() {
		build, err := nginx.InstallSuite(suite)
		require.NoError(t, err)

		read, err := readBuild(build.Path)
		require.NoError(t, err)

		run, err := NewBuilds(allow).run(t.Context(), tree.Tree{}, build.Path)
		require.NoError(t, err)
		require.Equal(t, run, read, suite)
		require.Equal(t, ProductNginx, read.Product)
		require.Equal(t, "/etc/nginx/nginx.conf", read.Config())
	}
}
