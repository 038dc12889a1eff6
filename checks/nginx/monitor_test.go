package nginx

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// newMonitor watches this host, and as configured instances those that a test names.
func newMonitor(t testing.TB, configured ...instance.Configured) *Monitor {
	t.Helper()

	m := NewMonitor(Options{
		ProcPath: "/proc", SysPath: "/sys", Root: t.TempDir(), Configured: configured, Revalidate: time.Hour, Timeout: time.Minute,
	})
	t.Cleanup(m.Stop)

	return m
}

// settled lets a test's files be older than the test that comes.
func settled() { time.Sleep(2 * settleTime) }

// report is the report of a running nginx, whose test has ended.
func report(t testing.TB, m *Monitor, n *nginx.Nginx) *Report {
	t.Helper()

	// Another instance may have appeared or gone a moment ago.
	m.mu.Lock()
	m.found = nil
	m.mu.Unlock()
	rested(m, n)

	var r *Report

	require.Eventually(t, func() bool {
		var err error
		r, err = m.Report(context.Background(), n.ConfPath())

		return err == nil && !r.TestRunning && r.Test != nil
	}, 30*time.Second, 10*time.Millisecond)

	return r
}

// rested waits until a test may follow the last one.
func rested(m *Monitor, n *nginx.Nginx) {
	w := m.of(n.ConfPath())
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.last != nil {
		time.Sleep(time.Until(w.last.endedAt.Add(w.last.rest())))
	}
}

func TestARunningInstanceIsValid(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{Workers: 2, ReusePort: true, Daemon: true})
	m := newMonitor(t)

	settled()

	r := report(t, m, n)

	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Equal(t, "valid", r.StateName)
	require.Equal(t, "nginx/1.22.1", r.Product)
	require.Equal(t, n.ConfPath(), r.Config)
	require.Equal(t, n.PID(), r.Master.PID)
	require.Equal(t, 2, r.Master.Workers)
	require.Equal(t, "first", r.Test.Cause)
	require.Equal(t, "notify", r.Test.TechniqueName)
	require.Contains(t, r.Test.Listens, "tcp "+n.Addr())
	require.Contains(t, r.Test.Output, "test is successful")
	require.Positive(t, r.Test.WouldWrite)
	require.Empty(t, r.SideEffects)
	require.Empty(t, r.Foreigners)
	require.False(t, r.ReloadPending)
}

func TestAFaultIsNamedWithItsFileAndLine(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)

	settled()
	require.Equal(t, StateValid, report(t, m, n).State)
	require.NoError(t, n.Configure(nginx.Options{Main: []string{"no_such_directive on;"}}))

	r := report(t, m, n)

	require.Equal(t, StateInvalid, r.State)
	require.Equal(t, "changed", r.Test.Cause)
	require.Equal(t, n.ConfPath(), r.Test.ChangedFile)
	require.Equal(t, "emerg", r.Errors[0].Level)
	require.Equal(t, `unknown directive "no_such_directive"`, r.Errors[0].Text)
	require.Equal(t, n.ConfPath(), r.Errors[0].File)
	require.Equal(t, fmt.Sprintf(`unknown directive "no_such_directive" in %s:%d`, n.ConfPath(), r.Errors[0].Line), r.Sentence)
	require.True(t, r.ReloadPending)
}

func TestWhatSurroundsTheConfigurationIsNotItsFault(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)

	for name, test := range map[string]struct {
		server string
		state  State
	}{
		"an address that the host lacks": {"server { listen 192.0.2.1:80; }", StateEnvironment},
		"a warning":                      {"server { listen {port2}; server_name a; } server { listen {port2}; server_name a; }", StateValidWithWarnings},
		"a file that is missing":         {"include {dir}/missing.conf;", StateInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, n.Configure(nginx.Options{HTTP: []string{test.server}}))

			r := report(t, m, n)
			require.Equal(t, test.state, r.State, r.Sentence)
			require.NotEmpty(t, r.Sentence)
		})
	}
}

func TestWhatHasNotChangedIsNotTestedAgain(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)

	settled()

	for range 5 {
		require.Equal(t, uint64(1), report(t, m, n).Tests)
	}

	w := m.of(n.ConfPath())
	w.mu.Lock()
	w.last.endedAt = w.last.endedAt.Add(-2 * time.Hour)
	w.mu.Unlock()

	r := report(t, m, n)
	require.Equal(t, uint64(2), r.Tests)
	require.Equal(t, "revalidate", r.Test.Cause)
}

func TestAReloadEndsTheWaitForIt(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)

	settled()
	require.False(t, report(t, m, n).ReloadPending)

	settled()
	require.NoError(t, n.Configure(nginx.Options{Server: []string{"location = /new { return 204; }"}}))

	r := report(t, m, n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.True(t, r.ReloadPending)
	require.WithinDuration(t, time.Now(), time.Unix(*r.ReloadPendingSince, 0), time.Minute)

	require.NoError(t, n.Reload(nginx.Options{Server: []string{"location = /new { return 204; }"}}))
	require.Eventually(t, func() bool { return !report(t, m, n).ReloadPending }, 5*time.Second, 50*time.Millisecond)
}

func TestAnInstanceThatDoesNotRunIsTestedToo(t *testing.T) {
	t.Parallel()

	n := nginx.PrepareT(t, nginx.Options{})
	m := newMonitor(t, instance.Configured{Name: "edge", Binary: n.Program(), Config: n.ConfPath(), Prefix: n.Dir()})

	settled()

	before := snapshot(t, n.Dir())
	r, err := m.Report(context.Background(), "edge")
	require.NoError(t, err)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.Nil(t, r.Master)
	require.Equal(t, before, snapshot(t, n.Dir()), "a test leaves nothing behind")

	rows, err := m.Discover(context.Background())
	require.NoError(t, err)
	require.Contains(t, rows, Discovered{Instance: "edge", Config: n.ConfPath(), Binary: n.Program(), Product: "nginx/1.22.1", Trusted: "1", Container: "0"})
}

// snapshot is each file below a directory, with its inode and its change time.
func snapshot(t *testing.T, dir string) map[string]stamp {
	t.Helper()

	all := make(map[string]stamp)

	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all[path] = stampOf(path)

		return err
	}))

	return all
}

func TestAProgramThatWasReplacedIsTestedAsItIsNow(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{OwnProgram: true})
	m := newMonitor(t)
	program, err := os.ReadFile(n.Program())
	require.NoError(t, err)
	require.NoError(t, os.Remove(n.Program()))
	require.NoError(t, os.WriteFile(n.Program(), program, 0o755))

	r := report(t, m, n)
	require.Equal(t, StateValid, r.State, r.Sentence)
	require.True(t, r.BinaryReplaced)
	require.Equal(t, n.Program(), r.Binary)
}

func TestWhatOthersCanChangeIsNotRun(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	require.NoError(t, os.Chmod(n.ConfPath(), 0o666))

	r := report(t, newMonitor(t), n)
	require.Equal(t, StateUnsafeRefused, r.State)
	require.Contains(t, r.Sentence, n.ConfPath()+" is writable for others")
	require.Empty(t, r.Test.Output)
}

func TestWhoSharesThePortIsNamed(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{ReusePort: true})
	m := newMonitor(t)
	require.Empty(t, report(t, m, n).Foreigners)

	config := net.ListenConfig{Control: reusePort}
	thief, err := config.Listen(context.Background(), "tcp", n.Addr())
	require.NoError(t, err)

	defer thief.Close()

	r := report(t, m, n)
	require.Len(t, r.Foreigners, 1)
	require.Equal(t, n.Addr(), r.Foreigners[0].Address.String())
	require.Equal(t, os.Getpid(), r.Foreigners[0].Processes[0].PID)
	require.NotEmpty(t, r.Foreigners[0].Sentence)
}

func TestAnUnknownInstanceIsAnsweredWithThoseThereAre(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)

	_, err := m.Report(context.Background(), "/etc/passwd; rm -rf /")
	require.ErrorIs(t, err, ErrUnknownInstance)
	require.ErrorContains(t, err, n.ConfPath())

	_, err = m.NameOf(context.Background(), ID("/etc/passwd"))
	require.ErrorIs(t, err, ErrUnknownInstance)
	require.ErrorContains(t, err, n.ConfPath())
}

func TestAnInstanceHasANameThatIsNoPath(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	id := ID(n.ConfPath())
	require.Regexp(t, "^[0-9a-f]{16}$", id)
	require.Equal(t, "08cdfcae237f26e4", ID("/etc/nginx/nginx.conf"), "the two sides of a protocol agree on it for good")

	name, err := newMonitor(t).NameOf(context.Background(), id)
	require.NoError(t, err)
	require.Equal(t, n.ConfPath(), name)
}

// scripted is a test that does what a test of this package wants.
type scripted func(context.Context, sandbox.Command) (*sandbox.Result, error)

func (s scripted) Test(ctx context.Context, c sandbox.Command) (*sandbox.Result, error) {
	return s(ctx, c)
}

func success() *sandbox.Result {
	return &sandbox.Result{Technique: sandbox.TechniqueNotify, Output: []byte("nginx: configuration file /x test is successful\n")}
}

func TestASlowTestIsAnsweredForAtOnce(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)
	release := make(chan struct{})
	m.sandbox = scripted(func(context.Context, sandbox.Command) (*sandbox.Result, error) {
		<-release

		return success(), nil
	})

	ctx, cancel := context.WithTimeout(context.Background(), answerTime+100*time.Millisecond)
	defer cancel()

	r, err := m.Report(ctx, n.ConfPath())
	require.NoError(t, err)
	require.Equal(t, StateNotTested, r.State)
	require.True(t, r.TestRunning)
	require.Positive(t, r.TestRunningS)
	require.Nil(t, r.Test)
	require.True(t, m.Testing())

	close(release)
	require.Equal(t, StateValid, report(t, m, n).State)
	require.Eventually(t, func() bool { return !m.Testing() }, time.Second, time.Millisecond)
}

func TestTheLastResultStandsWhileTheNextTestRuns(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)

	settled()
	require.Equal(t, StateValid, report(t, m, n).State)

	m.sandbox = scripted(func(ctx context.Context, _ sandbox.Command) (*sandbox.Result, error) {
		<-ctx.Done()

		return nil, ctx.Err()
	})

	require.NoError(t, n.Configure(nginx.Options{Server: []string{"location = /new { return 204; }"}}))

	rested(m, n)

	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()

	r, err := m.Report(ctx, n.ConfPath())
	require.NoError(t, err)
	require.Equal(t, StateValid, r.State)
	require.True(t, r.TestRunning)
	require.Equal(t, uint64(1), r.Tests)

	stopping := time.Now()

	m.Stop()
	require.Less(t, time.Since(stopping), 5*time.Second, "a test that hangs is ended")
}

func TestAConfigurationThatIsReplacedDuringItsTestIsTestedAgain(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)
	ours, made := m.sandbox, atomic.Int32{}
	m.sandbox = scripted(func(ctx context.Context, c sandbox.Command) (*sandbox.Result, error) {
		r, err := ours.Test(ctx, c)
		if made.Add(1) == 1 {
			// nginx has read the file; what it says is about the old one.
			err = n.Configure(nginx.Options{Main: []string{"no_such_directive on;"}})
		}

		return r, err
	})

	settled()
	require.Equal(t, StateValid, report(t, m, n).State)
	settled()
	require.Equal(t, StateInvalid, report(t, m, n).State)
}

// A check that cannot fail is none: this sandbox lets through what ours keeps from happening.
func TestASideEffectIsSeen(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	m := newMonitor(t)
	file := filepath.Join(n.Dir(), "left")

	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	address := free.Addr().(*net.TCPAddr).AddrPort()
	require.NoError(t, free.Close())

	m.sandbox = scripted(func(context.Context, sandbox.Command) (*sandbox.Result, error) {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return nil, err
		}

		listener, err := net.Listen("tcp", address.String())
		if err != nil {
			return nil, err
		}

		time.Sleep(300 * time.Millisecond)

		r := success()
		r.Binds = []sandbox.Bind{{Network: "tcp", Address: address}}
		r.Writes = []sandbox.Write{{Path: file, Action: "open"}}

		return r, listener.Close()
	})

	r := report(t, m, n)

	var names []string
	for _, effect := range r.SideEffects {
		names = append(names, effect.Name)
	}

	require.Equal(t, []string{effectListener, effectFile}, names)
	require.Equal(t, uint64(2), r.SideEffectsTotal)
	require.True(t, strings.Contains(r.SideEffects[0].Sentence, address.String()))
}

func TestThreeInstancesAtOnce(t *testing.T) {
	t.Parallel()

	m := newMonitor(t)

	var all []*nginx.Nginx
	for range 3 {
		all = append(all, nginx.StartT(t, nginx.Options{}))
	}

	results := make(chan State, len(all))

	for _, n := range all {
		go func() { results <- report(t, m, n).State }()
	}

	for range all {
		require.Equal(t, StateValid, <-results)
	}
}
