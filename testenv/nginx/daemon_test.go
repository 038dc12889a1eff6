package nginx

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const endLimit = 10 * time.Second

func exe(t *testing.T, pid int) string {
	t.Helper()
	path, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	require.NoError(t, err)
	return path
}

func requireEnded(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return ended(pid) }, endLimit, pollInterval)
}

func TestADaemonLeavesItsParentAndIsStartedAgainAfterAHalt(t *testing.T) {
	n := StartT(t, Options{Daemon: true, Workers: 2})
	master := n.PID()
	parent, _ := status(master)
	require.NotEqual(t, os.Getpid(), parent)
	var workers []int
	// The port answers when the first worker is there.
	require.Eventually(t, func() bool {
		workers = n.Workers()
		return len(workers) == 2
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, n.Reload(Options{Workers: 1}))
	require.Equal(t, master, n.PID())
	require.Len(t, n.Workers(), 1)
	require.EqualError(t, n.Start(), "cannot start nginx: it was started already; call Halt first")

	require.NoError(t, n.Halt())
	requireEnded(t, master)
	requireEnded(t, workers[0])
	require.FileExists(t, n.ConfPath())
	require.NoError(t, n.Start())
	require.NotEqual(t, master, n.PID())
	status, _ := get(t, n.URL()+"none")
	require.Equal(t, 404, status)
}

func TestADaemonThatRefusesItsConfigurationIsToldInItsWords(t *testing.T) {
	n := PrepareT(t, Options{Daemon: true, Main: []string{"no_such_directive;"}})
	err := n.Start()
	require.ErrorContains(t, err, "cannot start nginx: it ended; mend what it says: ")
	require.ErrorContains(t, err, `unknown directive "no_such_directive"`)
	require.NoError(t, n.Configure(Options{}))
	require.NoError(t, n.Start(), "the next good one is taken")
}

// A test that is killed must leave no daemon: the guard sees its pipe closed.
func TestTheGuardEndsADaemonThatNobodyStopped(t *testing.T) {
	n := StartT(t, Options{Daemon: true})
	n.running.guard.end()
	requireEnded(t, n.PID())
}

func TestAnUpgradeReplacesTheMasterOfADeletedProgram(t *testing.T) {
	n := StartT(t, Options{Daemon: true, OwnProgram: true})
	first := n.PID()
	require.Equal(t, filepath.Join(n.Dir(), "sbin", "nginx"), n.Program())
	next, err := InstallSuite(Trixie)
	require.NoError(t, err)
	require.NoError(t, os.Remove(n.Program()))
	_, err = copyProgram(next.Path, n.Program())
	require.NoError(t, err)
	require.Equal(t, n.Program()+" (deleted)", exe(t, first))

	second, err := n.BeginUpgrade()
	require.NoError(t, err)
	require.False(t, ended(first), "both serve")
	require.Equal(t, first, n.PID())
	_, err = n.BeginUpgrade()
	require.ErrorContains(t, err, "cannot upgrade nginx: only one that was started as a daemon can be, once at a time")
	require.NoError(t, n.FinishUpgrade())
	requireEnded(t, first)
	require.Equal(t, second, n.PID())
	require.Equal(t, n.Program(), exe(t, second))
	status, _ := get(t, n.URL()+"none")
	require.Equal(t, 404, status)
	require.ErrorContains(t, n.FinishUpgrade(), "none was begun; call BeginUpgrade first")

	_, err = n.BeginUpgrade()
	require.NoError(t, err)
	require.NoError(t, n.Stop(), "both are stopped in the midst of an upgrade")
	requireEnded(t, second)
}

func TestANginxInTheForegroundIsNotUpgraded(t *testing.T) {
	n := StartT(t, Options{})
	_, err := n.BeginUpgrade()
	require.ErrorContains(t, err, "set Options.Daemon")
}

func TestWhatDoesNotRunIsNeitherReloadedNorSignalled(t *testing.T) {
	n := PrepareT(t, Options{})
	require.EqualError(t, n.Reload(Options{}), "cannot reload nginx: it does not run; start it first")
	require.NoError(t, n.Halt())
	require.NoError(t, n.Start())
	require.NoError(t, n.Signal(syscall.SIGUSR1))
	pid := n.PID()
	require.NoError(t, n.Halt())
	require.True(t, ended(pid))
	require.ErrorContains(t, n.Signal(syscall.SIGUSR1), "cannot signal nginx: ")
}

// What a real `nginx -t` of today leaves behind, which an isolated one must not.
func TestABareTestSaysItsVerdictAndLeavesAPIDFile(t *testing.T) {
	n := PrepareT(t, Options{})
	require.NoFileExists(t, n.PIDPath())
	verdict, err := n.Test("")
	require.NoError(t, err)
	require.Equal(t, Verdict{Output: "nginx: the configuration file CONF syntax is ok\nnginx: configuration file CONF test is successful\n"}, forget(verdict, n))
	require.FileExists(t, n.PIDPath())

	require.NoError(t, n.Configure(Options{HTTP: []string{"no_such_directive;"}}))
	verdict, err = n.Test("", "-q")
	require.NoError(t, err)
	require.Equal(t, 1, verdict.ExitCode)
	require.Contains(t, verdict.Output, `unknown directive "no_such_directive"`)

	_, err = n.Test(filepath.Join(n.Dir(), "none"))
	require.ErrorContains(t, err, "cannot test a configuration: ")
}

// forget takes the configuration's path out of a verdict.
func forget(v Verdict, n *Nginx) Verdict {
	v.Output = strings.ReplaceAll(v.Output, n.ConfPath(), "CONF")
	return v
}
