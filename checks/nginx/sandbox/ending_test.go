package sandbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec" //nolint:depguard // a test kills the process that supervises another test.
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/child"
)

func TestATestDiesWithItsSupervisor(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		mark := "mark-" + strconv.Itoa(os.Getpid()) + technique.String()
		fake := fakeCommand(technique.String())
		supervisor := exec.Command(fake.Binary, "-g", mark)
		supervisor.Env = fake.Environment
		exited, err := child.Start(supervisor)
		require.NoError(t, err)
		t.Cleanup(func() { _ = supervisor.Process.Kill() })
		require.Eventually(t, func() bool { return len(marked(t, mark)) == 1 }, 10*time.Second, time.Millisecond)

		require.NoError(t, supervisor.Process.Kill())
		<-exited
		require.Eventually(t, func() bool { return len(marked(t, mark)) == 0 }, 10*time.Second, time.Millisecond)
	})
}

// marked are the tests that have a mark on their command line.
func marked(t *testing.T, mark string) (pids []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(line, []byte("\x00"+mark+"\x00-t\x00")) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

func TestNginxThatHangsInAFileIsEnded(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, "", "include {dir}/pipe;")
		require.NoError(t, unix.Mkfifo(p.path("pipe"), 0o644))
		command := p.command()
		command.Timeout = 500 * time.Millisecond
		result, err := only(technique).Test(context.Background(), command)
		require.NoError(t, err)
		require.True(t, result.TimedOut)
		require.Equal(t, "SIGKILL", result.Signal)
		require.GreaterOrEqual(t, result.DurationS, 0.5)
		require.Contains(t, result.Reads, Read{Path: p.path("pipe")})
	})
}

func TestNginxThatHangsInDNSIsEnded(t *testing.T) {
	if !isInside() {
		circumstance{name: "a resolver that does not answer", resolver: baddns.Silent()}.again(t, "TestNginxThatHangsInDNSIsEnded")
		return
	}
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, "", "upstream u { server "+baddns.Name+"; }")
		p.environment = []string{"RES_OPTIONS=timeout:5 attempts:5"}
		command := p.command()
		command.Timeout = 500 * time.Millisecond
		result, err := only(technique).Test(context.Background(), command)
		require.NoError(t, err)
		if isPrivate() {
			// Only root can have a resolver that does not answer: that of this host may say that there is no such name.
			require.True(t, result.TimedOut)
		}
		require.NotZero(t, result.ExitCode)
	})
}

// The rules that a container's profile may have.
var (
	noListener = seccomp.Rule{Number: unix.SYS_SECCOMP, Action: seccomp.Allow, Tests: []seccomp.Test{
		{All: []seccomp.Compare{seccomp.Has(1, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)}, Action: seccomp.Errno(unix.EPERM)},
	}}
	noTracing = seccomp.Rule{Number: unix.SYS_PTRACE, Action: seccomp.Errno(unix.EPERM)}
	noMemory  = seccomp.Rule{Number: unix.SYS_PROCESS_VM_READV, Action: seccomp.Errno(unix.EPERM)}
)

func TestWithoutUserNotificationATestIsTraced(t *testing.T) {
	if !isInside() {
		circumstance{name: "no listener", denied: []seccomp.Rule{noListener}}.again(t, "TestWithoutUserNotificationATestIsTraced")
		return
	}
	s := New()
	require.Equal(t, []Availability{
		{Technique: TechniqueNotify, Why: "cannot install a seccomp filter with a listener: operation not permitted"}, {Technique: TechniqueTrace, Works: true},
	}, s.Techniques())
	p := newPrefix(t)
	p.configure(t, "", server)
	before := p.tree(t)
	result, err := s.Test(context.Background(), p.command())
	require.NoError(t, err)
	require.Equal(t, TechniqueTrace, result.Technique)
	require.Contains(t, string(result.Output), good)
	require.Equal(t, before, p.tree(t))
}

func TestWithoutAnyTechniqueNothingIsRunUnlessItIsKnownToBeHarmless(t *testing.T) {
	const name = "TestWithoutAnyTechniqueNothingIsRunUnlessItIsKnownToBeHarmless"
	if !isInside() {
		circumstance{name: "no listener and no tracing", denied: []seccomp.Rule{noListener, noTracing}}.again(t, name)
		circumstance{name: "no memory of others", denied: []seccomp.Rule{noMemory}}.again(t, name)
		return
	}
	s := New()
	p := newPrefix(t)
	p.configure(t, "", server)
	before := p.tree(t)
	_, err := s.Test(context.Background(), p.command())
	unsafe, ok := errors.AsType[*UnsafeError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "nothing is known of its effects", unsafe.Bare)
	require.Len(t, unsafe.Techniques, 2)
	for _, technique := range unsafe.Techniques {
		require.False(t, technique.Works)
		require.NotEmpty(t, technique.Why)
	}
	require.True(t, strings.HasPrefix(err.Error(), "cannot test the configuration without changing the host: notify: cannot "), err)
	require.Equal(t, before, p.tree(t))

	command := p.command()
	command.Bare = &BareConditions{Version: "1.22.1", AddressesHeld: true, UserUnchanged: true}
	result, err := s.Test(context.Background(), command)
	require.NoError(t, err)
	require.Equal(t, TechniqueBare, result.Technique)
	require.Equal(t, p.ordinary(t), saidOf(result))
}

func TestAThreadThatTestedIsUsedForNothingElse(t *testing.T) {
	both(t, func(t *testing.T, technique Technique) {
		p := newPrefix(t)
		p.configure(t, "", server)
		for range 20 {
			p.test(t, technique)
		}
		require.Eventually(t, func() bool { return len(filtered(t)) == 0 }, 5*time.Second, time.Millisecond)
	})
}

// filtered are the threads of this process that have a seccomp filter.
func filtered(t *testing.T) (threads []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	require.NoError(t, err)
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err == nil && !strings.Contains(string(status), "\nSeccomp:\t0\n") {
			threads = append(threads, file)
		}
	}
	return threads
}
