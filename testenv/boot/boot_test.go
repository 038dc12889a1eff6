//go:build systemd

// These tests need root, and make a Debian tree of 170 MB at first, so `make e2e-systemd` runs them and `make test` does not.

package boot

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// output runs a command as root that must succeed.
func output(t *testing.T, m *Machine, argv ...string) string {
	t.Helper()
	result, err := m.Run(t.Context(), Root, argv...)
	require.NoError(t, err)
	require.Zero(t, result.Status, result.Stderr)
	return strings.TrimSpace(result.Stdout)
}

func TestAMachineIsADebianWithSystemdAsItsFirstProcess(t *testing.T) {
	started := time.Now()
	m := StartT(t)
	t.Logf("booted in %s", time.Since(started).Round(time.Millisecond))

	require.Equal(t, "systemd", output(t, m, "cat", "/proc/1/comm"))
	require.Equal(t, "active", output(t, m, "systemctl", "is-active", "nginx"))
	require.Contains(t, output(t, m, "curl", "--silent", "http://127.0.0.1/"), "Welcome to nginx!")
	require.Equal(t, "lo", output(t, m, "ls", "/sys/class/net"), "the host's network is not its own")
	journal, err := m.Journal(t.Context(), "nginx.service")
	require.NoError(t, err)
	require.Contains(t, journal, "Started nginx.service")
	log, err := m.Run(t.Context(), Root, "dd", "if=/dev/kmsg", "bs=8192", "count=1")
	require.NoError(t, err)
	require.Regexp(t, `^\d+,\d+,\d+,`, log.Stdout, "a record of the kernel's log")
}

func TestCommandsRunAsAnyUserAndTellHowTheyEnded(t *testing.T) {
	m := StartT(t)
	for name, test := range map[string]struct {
		user string
		argv []string
		want Result
	}{
		"root":                                {Root, []string{"id", "-un"}, Result{Stdout: "root\n"}},
		"a user with his groups":              {"www-data", []string{"id"}, Result{Stdout: "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n"}},
		"a user in another group alone":       {"nobody:adm", []string{"id"}, Result{Stdout: "uid=65534(nobody) gid=4(adm) groups=4(adm)\n"}},
		"a user has no capability":            {"www-data", []string{"grep", "CapEff", "/proc/self/status"}, Result{Stdout: "CapEff:\t0000000000000000\n"}},
		"a command that fails":                {Root, []string{"sh", "-c", "echo out; echo err >&2; exit 3"}, Result{"out\n", "err\n", 3}},
		"a command that a signal ends":        {Root, []string{"sh", "-c", "kill -KILL $$"}, Result{Status: 128 + 9}},
		"a command that leaves a daemon":      {Root, []string{"sh", "-c", "sleep 600 & echo done"}, Result{Stdout: "done\n"}},
		"arguments come as they are":          {Root, []string{"printf", "%s|", "a b", "", "$HOME"}, Result{Stdout: "a b||$HOME|"}},
		"nothing of the host's environment":   {"www-data", []string{"sh", "-c", "echo $TEST_OF_HOST"}, Result{Stdout: "\n"}},
		"a command that is not there says so": {Root, []string{"no-such-command"}, Result{Stderr: "env: ‘no-such-command’: No such file or directory\n", Status: 127}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TEST_OF_HOST", "1")
			result, err := m.Run(t.Context(), test.user, test.argv...)
			require.NoError(t, err)
			require.Equal(t, test.want, result)
		})
	}
}

func TestACommandThatTakesTooLongIsEndedWithItsChildren(t *testing.T) {
	m := StartT(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	result, err := m.Run(ctx, "www-data", "sh", "-c", "echo begun; sleep 4711; true")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "cannot wait for sh -c echo begun; sleep 4711; true any longer: ")
	require.Equal(t, Result{Stdout: "begun\n", Status: 128 + 9}, result)
	require.NotContains(t, output(t, m, "ps", "-eo", "args"), "sleep 4711")
}

func TestFilesAreWrittenIntoTheMachineAndNotIntoTheTree(t *testing.T) {
	tree, err := Install()
	require.NoError(t, err)
	m := StartT(t)
	require.NoError(t, m.Write(t.Context(), "/etc/deep/er/file", "640", strings.NewReader("content")))
	require.Equal(t, "640 root content", output(t, m, "sh", "-c", "stat -c '%a %U' /etc/deep/er/file | tr '\n' ' '; cat /etc/deep/er/file"))
	require.NoFileExists(t, filepath.Join(tree, "etc/deep/er/file"))

	own := filepath.Join(t.TempDir(), "own")
	require.NoError(t, os.WriteFile(own, []byte("#!/bin/sh\necho copied\n"), 0o600))
	require.NoError(t, m.CopyIn(t.Context(), own, "/usr/local/bin/own", "755"))
	require.Equal(t, "copied", output(t, m, "own"))

	require.ErrorContains(t, m.CopyIn(t.Context(), own+"-none", "/x", "644"), "; make it first")
	require.ErrorContains(t, m.Write(t.Context(), "/proc/none/x", "644", strings.NewReader("")), "cannot write /proc/none/x in the machine: install says: ")
}

func TestAMachineKeepsItsFilesThroughAReboot(t *testing.T) {
	m := StartT(t)
	id := output(t, m, "cat", "/proc/sys/kernel/random/boot_id")
	output(t, m, "sh", "-c", "echo kept >/root/file; echo lost >/run/file")
	started := time.Now()
	allStarted, err := m.Reboot(t.Context())
	require.NoError(t, err)
	t.Logf("rebooted in %s", time.Since(started).Round(time.Millisecond))
	require.True(t, allStarted)
	require.Equal(t, "kept", output(t, m, "cat", "/root/file"))
	require.Equal(t, "/dev/kmsg /etc/hostname", output(t, m, "sh", "-c", "ls -d /dev/kmsg /run/file /etc/hostname 2>/dev/null | xargs"))
	require.NotEqual(t, id, output(t, m, "cat", "/proc/sys/kernel/random/boot_id"))

	output(t, m, "systemctl", "mask", "--now", "nginx")
	output(t, m, "sh", "-c", "printf '[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/broken.service; systemctl enable broken")
	allStarted, err = m.Reboot(t.Context())
	require.NoError(t, err)
	require.False(t, allStarted)
	require.Equal(t, "failed", strings.TrimSpace(run(t, m, "systemctl", "is-active", "broken").Stdout))
}

func run(t *testing.T, m *Machine, argv ...string) Result {
	t.Helper()
	result, err := m.Run(t.Context(), Root, argv...)
	require.NoError(t, err)
	return result
}

func TestAMachineThatIsSwitchedOffOrStoppedLeavesNothing(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Machine){
		"switched off": func(t *testing.T, m *Machine) { require.NoError(t, m.Poweroff(t.Context())) },
		"stopped":      func(*testing.T, *Machine) {},
		"stopped with an end to its services that takes for ever": func(t *testing.T, m *Machine) {
			run(t, m, "systemd-run", "--property=KillSignal=SIGCONT", "sleep", "infinity")
			run(t, m, "systemctl", "--no-block", "poweroff")
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := StartT(t)
			inside := m.container.init()
			end(t, m)
			require.NoError(t, m.Stop())
			requireGone(t, inside)
			require.Empty(t, groupsOf(t, os.Getpid()))
			require.NoFileExists(t, m.console.Name())
			_, err := m.Run(t.Context(), Root, "true")
			require.ErrorContains(t, err, "cannot run true: the machine does not run")
			require.NoError(t, m.Stop())
		})
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), machineRoot)
	require.NoDirExists(t, "/run/machine")
}

// groupsOf returns the cgroups of the machines that a process has started.
func groupsOf(t *testing.T, pid int) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(groupRoot, func(path string, entry os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), groupPrefix+strconv.Itoa(pid)+"-") {
			found = append(found, path)
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}))
	return found
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.NotZero(t, pid)
	require.Eventually(t, func() bool { return !exists("/proc/" + strconv.Itoa(pid)) }, 5*time.Second, 10*time.Millisecond)
}

func TestTwoMachinesDoNotDisturbEachOther(t *testing.T) {
	one, other := StartT(t), StartT(t)
	output(t, one, "touch", "/root/one")
	require.Equal(t, 2, run(t, other, "ls", "/root/one").Status)
	require.NoError(t, one.Poweroff(t.Context()))
	require.Equal(t, "active", output(t, other, "systemctl", "is-active", "nginx"))
}

// victim is in the environment of the process that is to be killed.
const victim = "HOSTING_TEST_VICTIM"

func TestNothingIsLeftWhereATestIsKilled(t *testing.T) {
	if os.Getenv(victim) != "" {
		m := StartT(t)
		require.NoError(t, os.WriteFile(os.Getenv(victim), []byte(strconv.Itoa(m.container.init())), 0o644))
		select {}
	}
	file := filepath.Join(t.TempDir(), "init")
	killed := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	killed.Env = append(os.Environ(), victim+"="+file)
	killed.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, killed.Start())
	var inside int
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(file)
		if err == nil {
			inside, err = strconv.Atoi(string(text))
		}
		return err == nil
	}, startLimit, pollInterval)
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())
	requireGone(t, inside)

	require.NotEmpty(t, groupsOf(t, killed.Process.Pid))
	StartT(t)
	require.Empty(t, groupsOf(t, killed.Process.Pid), "the next machine sweeps the empty cgroups")
}
