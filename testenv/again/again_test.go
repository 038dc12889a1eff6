package again_test

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/again"
)

const variable = "AGAIN_TEST"

func TestMain(m *testing.M) {
	if said := os.Getenv(variable); said != "" {
		fmt.Println(said, os.Getuid(), os.Getpid(), os.Getppid())
		_, _ = io.ReadAll(os.Stdin)
		os.Exit(0)
	}

	os.Exit(m.Run())
}

func start(t *testing.T, sys *syscall.SysProcAttr, through ...string) (p *again.Process, said string, uid, pid, parent int) {
	t.Helper()

	p, err := again.Start(variable+"=hello", sys, through...)
	require.NoError(t, err)
	t.Cleanup(p.Stop)

	_, err = fmt.Fscan(p.Output, &said, &uid, &pid, &parent)
	require.NoError(t, err)

	return p, said, uid, pid, parent
}

func TestTheBinaryRunsAgainUntilItsInputEnds(t *testing.T) {
	t.Parallel()

	p, said, uid, pid, parent := start(t, nil)
	require.Equal(t, "hello", said)
	require.Equal(t, os.Getuid(), uid)
	require.Equal(t, p.PID, pid)
	require.Equal(t, os.Getpid(), parent)

	p.Stop()
	require.ErrorIs(t, syscall.Kill(p.PID, 0), syscall.ESRCH)
	p.Stop()
}

func TestTheBinaryRunsThroughACommand(t *testing.T) {
	t.Parallel()

	p, _, _, pid, parent := start(t, nil, "/bin/sh", "-c", `"$0"; true`)
	require.Equal(t, p.PID, parent)
	require.NotEqual(t, p.PID, pid)
}

func TestTheBinaryRunsAsAUserWhoCannotReachIt(t *testing.T) {
	t.Parallel()

	const nobody = 65534

	var sys *syscall.SysProcAttr

	want := os.Getuid()
	if want == 0 {
		want = nobody
		sys = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}

	_, _, uid, _, _ := start(t, sys)
	require.Equal(t, want, uid)
}

func TestAProcessIsKilled(t *testing.T) {
	t.Parallel()

	p, _, _, _, _ := start(t, nil)
	p.Kill()
	require.ErrorIs(t, syscall.Kill(p.PID, 0), syscall.ESRCH)
}

func TestACommandThatIsNotThere(t *testing.T) {
	t.Parallel()

	_, err := again.Start(variable+"=hello", nil, "/does/not/exist")
	require.ErrorContains(t, err, "cannot run the test's own binary: ")
}
